import { join } from 'node:path'
import { composeNode, type ComposedNode } from '../assembly/compose-node.ts'
import { groupId, term } from '../base/brand.ts'
import type { Driver } from '../node/driver.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import { systemClock } from '../node/system-clock.ts'
import { whenLeading } from '../node/when-leading.ts'
import { NodeLog } from '../server/log/node-log.ts'
import { type DataDirectory, openDataDirectory } from '../storage/directory/data-directory.ts'
import { groupDirectory } from '../storage/format/file-names.ts'
import { openSnapshotStore } from '../storage/snapshot/snapshot-store.ts'
import type { CheckedOptions } from './check-options.ts'
import { clusterIdOf, settleClusterId } from './cluster-id.ts'
import { partsOf, type Prepared } from './node-parts.ts'
import { opened } from './opened.ts'
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
  const snapshots = await opened<SnapshotStore>((done) =>
    openSnapshotStore(join(options.dataDirectory, groupDirectory(GROUP)), done),
  )
  let prepared: Prepared | null = null
  let composed: ComposedNode
  try {
    options.signal?.throwIfAborted()
    await settleClusterId(options, { group: GROUP, directory, snapshots, log })
    prepared = partsOf(options, { group: GROUP, directory, snapshots, log })
    const { parts } = prepared
    composed = await opened<ComposedNode>((done) => composeNode(parts, done))
  } catch (error) {
    // Nothing dials on, and the directory can be opened again by this process.
    prepared?.transport.close(() => undefined)
    await new Promise<void>((resolve) => snapshots.close(resolve))
    throw error
  }
  driver = composed.driver
  const { parts: _parts, ...served } = prepared
  return { running: await serve({ options, directory, ...served, ...composed, log }), driver }
}
