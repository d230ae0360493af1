import { join } from 'node:path'
import { composeNode, type ComposedNode } from '../assembly/compose-node.ts'
import { settled } from '../assembly/settled.ts'
import { groupId, term } from '../base/brand.ts'
import { KeyFault } from '../erasure/key-files.ts'
import { type OpenedKeys, openKeys } from '../erasure/open-keys.ts'
import type { Driver } from '../node/driver.ts'
import type { StorageFault } from '../node/ports/storage-fault.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import { systemClock } from '../node/system-clock.ts'
import { whenLeading } from '../node/when-leading.ts'
import { NodeLog } from '../server/log/node-log.ts'
import { type DataDirectory, openDataDirectory } from '../storage/directory/data-directory.ts'
import { groupDirectory } from '../storage/format/file-names.ts'
import { awaitedState, type AwaitedNote, setDamagedStateAside, stateArrived } from '../storage/snapshot/state-aside.ts'
import { openSnapshotStore } from '../storage/snapshot/snapshot-store.ts'
import type { CheckedOptions } from './check-options.ts'
import { clusterIdOf, settleClusterId } from './cluster-id.ts'
import { partsOf, type Prepared } from './node-parts.ts'
import { opened } from './opened.ts'
import { StartError } from './start-error.ts'
import type { RunningNode } from './running-node.ts'
import { serve } from './serve-node.ts'

/** The composition of a node (architecture.md §2): configuration → directory and stores → `composeNode` → servers. */

const GROUP = groupId(0)

/** A node and its driver, for the functions of this room. */
interface Started {
  readonly running: RunningNode
  readonly driver: Driver
}

/** Opens the directory, then everything on it, and serves. Whatever was opened is closed when a later step fails. */
export async function runNode(options: CheckedOptions): Promise<RunningNode> {
  return (await start(options)).running
}

/** The same for a node that is its own quorum; resolves once it leads. */
export async function runAlone(options: CheckedOptions): Promise<RunningNode> {
  const { running, driver } = await start(options)
  const { signal } = options
  await new Promise<void>((resolve) => {
    whenLeading(driver, resolve)
    signal?.addEventListener('abort', () => resolve(), { once: true })
    if (signal?.aborted === true) resolve()
  })
  if (signal?.aborted !== true) return running
  await running.close()
  throw signal.reason
}

async function start(options: CheckedOptions): Promise<Started> {
  const { clusterId = clusterIdOf(options.peers), dataDirectory } = options
  const directory = await opened<DataDirectory>((done) =>
    openDataDirectory(
      {
        path: dataDirectory,
        expected: {
          nodeId: options.id,
          clusterId: options.clusterId ?? null,
          development: options.development ?? false,
        },
        create: { clusterId, groups: [GROUP], wallMs: systemClock.wallMs() },
      },
      done,
    ),
  )
  try {
    options.signal?.throwIfAborted()
    return await startOn(options, directory)
  } catch (error) {
    await new Promise<void>((resolve) => directory.release(resolve))
    throw error
  }
}

async function startOn(options: CheckedOptions, directory: DataDirectory): Promise<Started> {
  let driver: Driver | null = null
  const log = new NodeLog({
    node: options.id,
    group: GROUP,
    level: options.logLevel ?? 'warn',
    term: () => driver?.raftState.currentTerm ?? term(0),
  })
  const state = join(options.dataDirectory, groupDirectory(GROUP))
  const open = (): Promise<Opened> => openParts(options, { directory, state, log })
  const { prepared, composed } = await open().catch(async (error: unknown) => {
    if (!isRot(error)) throw error
    if (options.peers.length === 1) throw alone(error, options.dataDirectory)
    if (error.code !== 'SNAPSHOT_ROT') throw error
    await settled(
      (done) => setDamagedStateAside(state, done),
      (fault) => new StartError(fault),
    )
    log.snapshotDamaged(error.message)
    return open()
  })
  driver = composed.driver
  const { parts: _parts, ...served } = prepared
  return { running: await serve({ options, directory, ...served, ...composed, log }), driver }
}

interface Opened {
  readonly prepared: Prepared
  readonly composed: ComposedNode
}

/** Opens the stores and composes the node over them; what was opened is closed again when a later step fails. */
async function openParts(
  options: CheckedOptions,
  { directory, state, log }: { directory: DataDirectory; state: string; log: NodeLog },
): Promise<Opened> {
  const failed = (fault: StorageFault): StartError => new StartError(fault)
  const note = await settled<AwaitedNote | null>((done) => awaitedState(state, done), failed)
  const awaited = note === null ? null : { ...note, arrived: () => stateArrived(state) }
  const snapshots = await opened<SnapshotStore>((done) => openSnapshotStore(state, done))
  let prepared: Prepared | null = null
  let keys: OpenedKeys | null = null
  try {
    options.signal?.throwIfAborted()
    // What was set aside says that it took part in one.
    if (awaited === null) await settleClusterId(options, { group: GROUP, directory, snapshots, log })
    keys = await keysOf(directory, log)
    const made = partsOf(options, { group: GROUP, directory, snapshots, awaited, log, keys })
    prepared = made
    return { prepared: made, composed: await opened<ComposedNode>((done) => composeNode(made.parts, done)) }
  } catch (error) {
    // Nothing dials on, and the directory can be opened again by this process.
    prepared?.transport.close(() => undefined)
    prepared?.room.stop()
    await keys?.close()
    await new Promise<void>((resolve) => snapshots.close(resolve))
    throw error
  }
}

/** The keys of subjects in the node's directory. Rejects with StartError. */
async function keysOf({ disk }: DataDirectory, log: NodeLog): Promise<OpenedKeys> {
  try {
    const keys = await openKeys({ disk, directory: groupDirectory(GROUP) }, systemClock)
    if (keys.damaged > 0) log.keysDamaged(keys.damaged)
    return keys
  } catch (error) {
    throw error instanceof KeyFault ? new StartError(error.fault) : error
  }
}

function isRot(error: unknown): error is StartError {
  return error instanceof StartError && (error.code === 'LOG_ROT' || error.code === 'SNAPSHOT_ROT')
}

/** No other node has the data: what can be done, as commands. */
function alone({ code, message }: StartError, dataDirectory: string): StartError {
  const commands = `mv ${dataDirectory} ${dataDirectory}.damaged && cp -a COPY ${dataDirectory}`
  return new StartError({
    code,
    message: `${message} With such a copy at COPY: ${commands}, then start the node again.`,
  })
}
