import { composeNode, type ComposedNode } from '../assembly/compose-node.ts'
import { guardedMount } from '../assembly/development/guarded-mount.ts'
import { logOpener } from '../assembly/log-opener.ts'
import { opened } from '../assembly/settled.ts'
import { openKeys } from '../erasure/open-keys.ts'
import { groupId, nodeId } from '../base/brand.ts'
import { type ClientSession, connect, type ConnectOptions, type InProcessServer } from '../client/index.ts'
import { sessionCodec } from '../codec/session-codec.ts'
import { mount } from '../machine/index.ts'
import type { Halt, NodeStatus } from '../node/api.ts'
import type { StateMachine } from '../session/state-machine.ts'
import { inProcessServer } from '../gateway/in-process-server.ts'
import type { PeerTransport } from '../node/ports/peer-transport.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import { systemClock } from '../node/system-clock.ts'
import { whenLeading } from '../node/when-leading.ts'
import { NodeDisk } from '../storage/disk/node-disk.ts'
import { openSnapshotStore } from '../storage/snapshot/snapshot-store.ts'
import { temporaryDirectory } from '../storage/disk/temporary-directory.ts'
import { openAppliedTrail } from '../storage/trail/applied-trail-file.ts'
import { checkKitOptions, checkMachines } from './check-options.ts'
import type { TypedMachines } from './machines.ts'

export interface EmbeddedNodeOptions<Machines extends TypedMachines> {
  /** What the node runs; each is called with its own types. */
  readonly machines: Machines
  /** Kept over restarts and after `close`; default: a temporary one that `close` removes. */
  readonly directory?: string
  /**
   * Handlers run under the determinism guard and twice, and answers say what they threw (machines.md §2). Default true; false:
   * as in production, for measurements.
   */
  readonly development?: boolean
  /** Record bytes between two snapshots; default the product's. */
  readonly snapshotBytes?: number
}

/** The node within an `embeddedNode`, as far as tests look into it. */
export interface InnerNode {
  /** All that its machines made of the log, to be read and never changed: rows, counts, versions, queries. */
  readonly machine: StateMachine
  /** Null: it applies what is committed. */
  readonly halted: Halt | null
  /** Role, indexes, state hash, and what its machines threw, now. */
  status(): NodeStatus
  /** Tells once that index is applied; false when the node ends before. */
  waitApplied(index: number, done: (reached: boolean) => void): void
}

/** A single durable node in this process: real log, real LevelDB, no socket. For tests of machines (machines.md §6). */
export interface EmbeddedNode<Machines extends TypedMachines> {
  /** The node that runs now; another one after `restart`. Throws while none runs. */
  readonly node: InnerNode
  readonly machines: Machines
  /** For `connect({ embedded })`. */
  readonly server: InProcessServer
  /** Where its data lies. */
  readonly directory: string
  /** A session of that principal with typed machines, as in production. */
  session(principal: string, options?: Partial<ConnectOptions<Machines>>): Promise<ClientSession<Machines>>
  /** Stops the node and starts it again on its data. */
  restart(): Promise<void>
  /** Leaves no handle and, unless a directory was given, no file. */
  close(): Promise<void>
}

/**
 * Starts a node within about 100 ms. Rejects with InvalidArgument for options that cannot be used; else when a store cannot
 * be opened, has other machines than these, or gives another state than before under them (REPLAY_DIVERGED).
 */
export async function embeddedNode<const Machines extends TypedMachines>(
  given: EmbeddedNodeOptions<Machines>,
): Promise<EmbeddedNode<Machines>> {
  const options = checkKitOptions(given, ['directory', 'development', 'snapshotBytes'])
  checkMachines(options.machines)
  const temporary = options.directory === undefined ? await temporaryDirectory() : null
  const directory = options.directory ?? temporary?.path ?? ''
  let running: Running | null = await open(directory, options).catch(async (error: unknown) => {
    await temporary?.remove()
    throw error
  })
  const server: InProcessServer = {
    accept: (listener) => {
      if (running !== null) return running.server.accept(listener)
      systemClock.defer(() => listener.onEnded('NODE_STOPPED', 'the embedded node does not run'))
      return { receiveFrame: () => undefined, disconnected: () => undefined }
    },
  }
  const halt = async (): Promise<void> => {
    const stopping = running
    running = null
    if (stopping !== null) await stop(stopping)
  }
  return {
    get node() {
      if (running === null) throw new Error('the embedded node does not run')
      return running.driver
    },
    machines: options.machines,
    server,
    directory,
    session: (principal, more) =>
      connect<Machines>({
        embedded: server,
        principal,
        machines: options.machines,
        ...more,
      } as ConnectOptions<Machines>),
    restart: async () => {
      await halt()
      running = await open(directory, options)
    },
    close: async () => {
      await halt()
      await temporary?.remove()
    },
  }
}

interface Running extends ComposedNode {
  readonly server: InProcessServer
}

async function open(directory: string, options: EmbeddedNodeOptions<TypedMachines>): Promise<Running> {
  const { development = true } = options
  const mounted = mount(options.machines, sessionCodec)
  const id = nodeId('embedded')
  const group = groupId(0)
  const snapshots = await opened<SnapshotStore>((done) => openSnapshotStore(directory, done))
  const { snapshotBytes } = options
  const disk = new NodeDisk(directory)
  const keys = await openKeys({ disk, directory: '.' }, systemClock)
  const composed = await opened<ComposedNode>((done) =>
    composeNode(
      {
        identity: { clusterId: 'embedded', group, id, instance: 'embedded' },
        initialVoters: [{ id, address: '127.0.0.1:0' }],
        machines: development ? guardedMount(mounted) : mounted,
        development,
        limits: snapshotBytes === undefined ? {} : { snapshotBytes },
        clock: systemClock,
        codec: sessionCodec,
        snapshots,
        seed: 1,
        openLog: logOpener({ disk, directory: '.', group, clock: systemClock }),
        openTrail: openAppliedTrail({ disk, directory: '.', machines: mounted.userMachine.machines ?? [] }),
        openTransport: () => NO_PEERS,
        openKeys: (driver) => keys.of(driver, null),
      },
      done,
    ),
  ).catch(async (error: unknown) => {
    // The directory can be opened again by this process.
    await keys.close()
    await new Promise<void>((resolve) => snapshots.close(resolve))
    throw error
  })
  const { driver, gateway } = composed
  // With one voter it leads once its first entries are on disk.
  const leading = new Promise<void>((resolve) => whenLeading(driver, resolve))
  driver.start()
  await leading
  const running = { driver, gateway, server: inProcessServer(gateway) }
  if (driver.halted === null) return running
  const { code, message } = driver.halted
  await stop(running)
  throw new Error(`${code}: ${message}`)
}

const NO_PEERS: PeerTransport = {
  send: () => undefined,
  connected: () => false,
  queuedBytes: () => 0,
  pull: () => undefined,
  hint: () => undefined,
  addPeer: () => undefined,
  removePeer: () => undefined,
  close: (closed) => closed(),
}

/** Tells the connections first: their clients look for the node again. */
function stop(running: Running): Promise<void> {
  running.gateway.stopped({ code: 'NODE_STOPPED', message: 'the embedded node was closed' })
  const closed = new Promise<void>((resolve) => running.driver.close(resolve))
  return closed.then(() => running.gateway.options.personal?.keys.close())
}
