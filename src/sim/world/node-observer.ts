import type { WriteNumber } from '../../base/brand.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { Driver } from '../../node/driver.ts'
import type { LogStore, RecoveredLog } from '../../node/ports/log-store.ts'
import type { PeerFrame } from '../../node/ports/peer-transport.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'

/** What a client's connection needs of a gateway. */
export type ObservedGateway = Pick<SessionGateway, 'connect' | 'greeting'>

/**
 * Looks at one simulated node over all its processes, and may stand between its parts. What it throws ends the event that is
 * going on, and with it the run.
 */
export interface NodeObserver {
  /** A process has put its node together and not started it: the moment to listen. Gives the gateway that clients reach. */
  composed(node: {
    readonly driver: Driver
    readonly gateway: SessionGateway
    readonly machine: SessionStateMachine
  }): ObservedGateway
  /** A process has opened its log. `done` takes what stands before it, once. */
  logOpened(store: LogStore, recovered: RecoveredLog, done: (store: LogStore) => void): void
  /** The log reports a write as durable; the driver hears of it next. */
  persisted(write: WriteNumber): void
  /** The driver has heard of that. */
  persistenceTold?(write: WriteNumber): void
  /** A frame leaves for a peer. */
  sending(frame: PeerFrame): void
  /** It has left. */
  sent?(frame: PeerFrame): void
  /** From now on the node has an empty disk and another instance id. */
  diskReplaced(): void
  /** What is on its disk may be less from now on: rot. */
  diskDamaged?(): void
}
