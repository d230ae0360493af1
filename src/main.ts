import { createHash, randomInt } from 'node:crypto'
import { join } from 'node:path'
import { groupId, type NodeId, nodeId } from './base/brand.ts'
import { Random } from './base/random.ts'
import { DEFAULT_LIMITS } from './codec/entry/default-limits.ts'
import type { Limits } from './codec/entry/payload.ts'
import { encodePayload } from './codec/entry/payload-codec.ts'
import { sessionCodec } from './codec/session-codec.ts'
import { mount, type Mount, type Mountable } from './machine/index.ts'
import { counter, payments, register } from './machines/index.ts'
import type { Driver } from './node/driver.ts'
import { SessionGateway } from './gateway/session-gateway.ts'
import { openNode, type OpenNodeOptions } from './node/open-node.ts'
import { APPEND_MESSAGE_BYTES_MAX, DEFAULT_RAFT } from './node/options.ts'
import type { SnapshotStore } from './node/ports/snapshot-store.ts'
import type { StorageFault } from './node/ports/storage-fault.ts'
import { systemClock } from './node/ports/system-clock.ts'
import { checkTransition } from './raft/index.ts'
import type { RaftConfig } from './raft/types.ts'
import { ClusterService } from './server/cluster-service.ts'
import { GrpcServer } from './server/grpc-server.ts'
import { peerRefusals } from './server/peer-refusals.ts'
import { SessionService } from './server/session-service.ts'
import { SessionStateMachine } from './session/session-state-machine.ts'
import { type DataDirectory, openDataDirectory } from './storage/directory/data-directory.ts'
import { groupDirectory } from './storage/format/file-names.ts'
import { openLog } from './storage/opening/open-log.ts'
import { openSnapshotStore } from './storage/snapshot/snapshot-store.ts'
import { peerServiceDefinition } from './transport/peer-service.ts'
import { GrpcPeerTransport } from './transport/peer-transport.ts'

/** The composition root: configuration → stores → node → servers. The only file that knows every folder. */

/** Exit code of a process whose disk failed it (storage.md §5; EX_IOERR). */
export const EXIT_STORAGE_FAULT = 74
/** Exit code of a process whose engine failed inside apply (sessions.md §10; EX_SOFTWARE). */
export const EXIT_ENGINE_ERROR = 70

const GROUP = groupId(0)

/** How long calls in progress may take once the node closes. */
const CLOSE_GRACE_MS = 100

export interface NodeOptions {
  readonly id: NodeId
  /** Where clients and peers connect; port 0 takes any free one. */
  readonly listen: { readonly host: string; readonly port: number }
  /** All initial voters with their addresses, this node among them. */
  readonly peers: readonly { readonly id: NodeId; readonly address: string }[]
  readonly dataDirectory: string
  /** Default: the directory's own; for a new one, derived from the voters, so that all of them agree. */
  readonly clusterId?: string
  /** Default: the product's machines. */
  readonly machines?: readonly Mountable[]
  /** Written to entry 2 of a new cluster; the log's own limits count ever after. */
  readonly limits?: Partial<Limits>
  readonly raft?: Partial<Omit<RaftConfig, 'self'>>
  /** Listens beyond loopback although nobody is authenticated. Default false. */
  readonly insecure?: boolean
  /** The node stopped because of a fault. Default: says so on stderr and exits with code 74 (70: engine error). */
  readonly onFault?: (fault: { readonly code: string; readonly message: string }) => void
}

/** One node of a cluster in this process, or the only one. */
export interface RunningNode {
  readonly id: NodeId
  /** host:port it listens on. */
  readonly address: string
  readonly node: Driver
  readonly gateway: SessionGateway
  readonly mounted: Mount
  /** Streams end, the log is flushed, the directory is let go. */
  close(): Promise<void>
}

/** Why a node did not start: a stable code and a sentence that says what to do next. */
export class StartError extends Error {
  override readonly name = 'StartError'
  readonly code: StorageFault['code']
  constructor(fault: StorageFault) {
    super(fault.message)
    this.code = fault.code
  }
}

/** Starts one durable node without peers. Ready when it leads. */
export async function startEmbedded(
  options: Pick<NodeOptions, 'dataDirectory' | 'machines' | 'limits' | 'onFault'> &
    Partial<Pick<NodeOptions, 'listen'>>,
): Promise<RunningNode> {
  const listen = options.listen ?? { host: '127.0.0.1', port: 0 }
  const id = nodeId('n1')
  const running = await startNode({ ...options, id, listen, peers: [{ id, address: `${listen.host}:${listen.port}` }] })
  await leading(running.node)
  return running
}

/** Starts one node. Rejects with StartError (its data directory), ListenError (its port) or ValueError (its limits). */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const { clusterId = clusterIdOf(options.peers), dataDirectory } = options
  // Throws here, where the caller sees it, and not when this node first leads.
  encodePayload('Limits', { ...DEFAULT_LIMITS, ...options.limits })
  const directory = await storage<DataDirectory>((done) =>
    openDataDirectory(
      {
        path: dataDirectory,
        expected: { nodeId: options.id, clusterId: options.clusterId ?? null },
        create: { clusterId, groups: [GROUP], wallMs: systemClock.wallMs() },
      },
      done,
    ),
  )
  try {
    return await startOn(options, directory)
  } catch (error) {
    await new Promise<void>((resolve) => directory.release(resolve))
    throw error
  }
}

async function startOn(options: NodeOptions, directory: DataDirectory): Promise<RunningNode> {
  const snapshots = await storage<SnapshotStore>((done) =>
    openSnapshotStore(join(options.dataDirectory, groupDirectory(GROUP)), done),
  )
  let parts: Parts | null = null
  let driver: Driver
  try {
    const made = partsOf(options, { directory, snapshots })
    parts = made
    driver = await storage<Driver>((done) => openNode(made.opening, done))
  } catch (error) {
    // Nothing dials on, and the directory can be opened again by this process.
    parts?.transport.close(() => undefined)
    await new Promise<void>((resolve) => snapshots.close(resolve))
    throw error
  }
  const { codec, mounted, transport } = parts
  const gateway = new SessionGateway(driver, {
    parse: mounted.parse,
    parseQuery: mounted.parseQuery,
    codec,
    clock: systemClock,
  })
  return serve({ options, directory, transport, driver, gateway, mounted })
}

interface Parts {
  readonly opening: OpenNodeOptions
  readonly transport: GrpcPeerTransport
  readonly codec: OpenNodeOptions['codec']
  readonly mounted: Mount
}

/** What a node is opened from. The transport dials from here on. */
function partsOf(options: NodeOptions, on: { directory: DataDirectory; snapshots: SnapshotStore }): Parts {
  const { directory, snapshots } = on
  const codec = sessionCodec
  const mounted = mount(options.machines ?? [counter, register, payments], codec)
  const machine = new SessionStateMachine(mounted.userMachine, codec, { group: GROUP })
  const identity = {
    clusterId: directory.identity.clusterId,
    group: GROUP,
    id: options.id,
    instance: directory.identity.instanceId,
  }
  const transport = new GrpcPeerTransport({
    identity,
    peers: new Map(options.peers.map((peer) => [peer.id, peer.address])),
    clock: systemClock,
    random: new Random(randomInt(2 ** 47)),
    note: peerRefusals((line) => process.stderr.write(`${line}\n`)),
  })
  const opening: OpenNodeOptions = {
    identity,
    initialVoters: options.peers,
    raft: { ...DEFAULT_RAFT, ...options.raft },
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    clock: systemClock,
    codec,
    machine,
    snapshots,
    messageBytesMax: APPEND_MESSAGE_BYTES_MAX,
    check: checkTransition,
    seed: randomInt(2 ** 47),
    openLog: (snapshot, listener, done) => openLogIn(directory, { snapshot, listener }, done),
    openTransport: (listener) => {
      transport.listen(listener)
      return transport
    },
  }
  return { opening, transport, codec, mounted }
}

async function serve(parts: {
  options: NodeOptions
  directory: DataDirectory
  transport: GrpcPeerTransport
  driver: Driver
  gateway: SessionGateway
  mounted: Mount
}): Promise<RunningNode> {
  const { options, directory, transport, driver, gateway, mounted } = parts
  const sessions = new SessionService({ gateway })
  const closeNode = (): Promise<void> => new Promise((resolve) => driver.close(resolve))
  let server: GrpcServer
  try {
    server = await GrpcServer.listen({
      ...options.listen,
      insecure: options.insecure ?? false,
      graceMs: CLOSE_GRACE_MS,
      services: [
        sessions,
        new ClusterService(gateway),
        { definition: peerServiceDefinition, implementation: transport.implementation },
      ],
    })
  } catch (error) {
    await closeNode()
    throw error
  }
  driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: options.onFault ?? exitOnFault,
  })
  driver.start()
  const close = async (): Promise<void> => {
    sessions.close()
    // New calls are refused from here on; streams of peers do not hold the node up.
    const closed = server.close()
    await closeNode()
    await closed
    await new Promise<void>((resolve) => directory.release(resolve))
  }
  return { id: options.id, address: `${options.listen.host}:${server.port}`, node: driver, gateway, mounted, close }
}

function openLogIn(
  directory: DataDirectory,
  from: { snapshot: Parameters<OpenNodeOptions['openLog']>[0]; listener: Parameters<OpenNodeOptions['openLog']>[1] },
  done: Parameters<OpenNodeOptions['openLog']>[2],
): void {
  const { snapshot, listener } = from
  const position =
    snapshot === null
      ? null
      : {
          index: snapshot.lastIncludedIndex,
          term: snapshot.lastIncludedTerm,
          chain: snapshot.chain,
          lease: snapshot.lease,
          now: snapshot.now,
        }
  const { disk } = directory
  openLog(
    { disk, directory: groupDirectory(GROUP), group: GROUP, snapshot: position, clock: systemClock, listener },
    (fault, opened) => {
      if (fault !== null || opened === null) return done(fault, null)
      directory.markStarted((unmarked) => {
        if (unmarked === null) done(null, opened)
        else opened.store.close(() => done(unmarked, null))
      })
    },
  )
}

/** The same voters give the same id: a new cluster's nodes agree on it without talking. */
function clusterIdOf(peers: NodeOptions['peers']): string {
  const voters = peers.map((peer) => `${peer.id}=${peer.address}`).sort()
  return createHash('sha256').update(voters.join(',')).digest('hex').slice(0, 32)
}

/** A failed write or sync is never retried: the process ends, the quorum lives (raft.md §5). */
function exitOnFault(fault: { readonly code: string; readonly message: string }): void {
  process.stderr.write(`${fault.code}: ${fault.message}\n`)
  process.exit(fault.code === 'ENGINE_ERROR' ? EXIT_ENGINE_ERROR : EXIT_STORAGE_FAULT)
}

function storage<Value>(
  run: (done: (fault: StorageFault | null, value: Value | null) => void) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((fault, value) => {
      if (fault !== null || value === null) {
        reject(fault === null ? new Error('a store opened without a value') : new StartError(fault))
      } else resolve(value)
    })
  })
}

function leading(driver: Driver): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (driver.leading) resolve()
    }
    driver.listen({
      applied: () => undefined,
      batchApplied: () => undefined,
      roleChanged: check,
      stopped: () => undefined,
    })
    check()
  })
}
