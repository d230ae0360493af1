import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { opened as openedOrFailed, settled } from '../../assembly/settled.ts'
import { groupId } from '../../base/brand.ts'
import type { SnapshotMeta } from '../../node/ports/snapshot-store.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { type DataDirectory, openDataDirectory } from '../../storage/directory/data-directory.ts'
import { decodeIdentity, IDENTITY_FILE } from '../../storage/directory/identity-file.ts'
import { groupDirectory } from '../../storage/format/file-names.ts'
import { readState } from '../../storage/snapshot/read-state.ts'
import { discardKeptState, keptState, setStateAside } from '../../storage/snapshot/state-aside.ts'
import { StartError } from '../start-error.ts'
import { noDirectory } from './open-stopped.ts'

/** What became of the state of a stopped node. */
export type RefetchedState =
  /** It lies at `path`, up to the entry `index`; the next start takes the state that most of the other voters have. */
  | { readonly kind: 'setAside'; readonly path: string; readonly index: number; readonly others: readonly string[] }
  /** Nothing was changed: one that was set aside before is still at `path`. */
  | { readonly kind: 'kept'; readonly path: string }
  /** Nothing was changed: there is no snapshot that can be read, so the state is made of the log alone, or comes by itself. */
  | { readonly kind: 'noState' }
  /** Nothing was changed: no other voter has the state. */
  | { readonly kind: 'alone' }

/**
 * Sets the state of a stopped node aside, so that its next start takes that of the others (docs/halted.md). Its log and its
 * vote stay. Rejects with StartError when a process holds the directory, when it is none, and when the disk fails.
 */
export async function refetchState(path: string): Promise<RefetchedState> {
  const { node, directory } = await hold(path)
  const group = groupOf(path)
  try {
    const kept = keptState(group)
    if (kept !== null) return { kind: 'kept', path: kept }
    const read = await readState(group)
    if (read === null) return { kind: 'noState' }
    const others = read.meta.configuration.configuration.voters.filter((voter) => voter !== node)
    if (others.length === 0) return { kind: 'alone' }
    const meta = await settled<SnapshotMeta | null>((done) => setStateAside(group, done), failed)
    if (meta === null) return { kind: 'noState' }
    return { kind: 'setAside', path: keptState(group) ?? group, index: meta.lastIncludedIndex, others }
  } finally {
    await new Promise<void>((resolve) => directory.release(resolve))
  }
}

/**
 * Deletes the state that was set aside before. False: the node has not taken another one yet, and nothing was changed. The node
 * may run. Rejects with StartError when it is no data directory.
 */
export async function discardState(path: string): Promise<boolean> {
  await identityOf(path)
  return discardKeptState(groupOf(path))
}

async function hold(path: string): Promise<{ node: string; directory: DataDirectory }> {
  const { nodeId, development = false } = await identityOf(path)
  const expected = { nodeId, clusterId: null, development }
  const directory = await openedOrFailed<DataDirectory>(
    (done) => openDataDirectory({ path, expected, create: null }, done),
    failed,
  )
  return { node: nodeId, directory }
}

async function identityOf(path: string): Promise<Exclude<ReturnType<typeof decodeIdentity>, StorageFault>> {
  const bytes = await readFile(join(path, IDENTITY_FILE)).catch(() => null)
  if (bytes === null) throw noDirectory(path)
  const identity = decodeIdentity(bytes, `${path}/${IDENTITY_FILE}`)
  if ('code' in identity) throw new StartError(identity)
  return identity
}

function groupOf(path: string): string {
  return join(path, groupDirectory(groupId(0)))
}

function failed(fault: StorageFault): StartError {
  return new StartError(fault)
}
