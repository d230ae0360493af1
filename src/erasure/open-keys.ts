import type { Driver } from '../node/driver.ts'
import type { Clock } from '../node/ports/clock.ts'
import { type KeyFault, type KeyPlace, KeyFiles } from './key-files.ts'
import { type AskPeer, KeyPeers } from './key-peers.ts'
import { SubjectKeys } from './subject-keys.ts'

/** The keys of a node, read: `of` makes what seals and opens with them, once there is a driver. */
export interface OpenedKeys {
  /** Slots of the files that could not be read, and are empty now. */
  readonly damaged: number
  /** `askPeer`: null for a node that is alone. */
  of(driver: Driver, askPeer: AskPeer | null): SubjectKeys
  /** For a node that never came to be. */
  close(): Promise<void>
}

/** Reads the key files of a group. Rejects with KeyFault. */
export async function openKeys(place: KeyPlace, clock: Clock): Promise<OpenedKeys> {
  const files = await KeyFiles.open(place)
  return {
    damaged: files.damaged,
    close: () => files.close(),
    of: (driver, askPeer) => {
      const peers = new KeyPeers(driver, askPeer)
      const onFault = (fault: KeyFault['fault']): void => driver.onFault(fault)
      const keys = new SubjectKeys({ node: driver, files, peers, clock, onFault })
      driver.listen(keys)
      return keys
    },
  }
}
