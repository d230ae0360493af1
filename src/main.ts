import { createHash, randomInt } from 'node:crypto'
import { join } from 'node:path'
import { composeNode, type ComposedNode, type NodeParts } from './assembly/compose-node.ts'
import { logOpener } from './assembly/log-opener.ts'
import { isUnused } from './assembly/unused-log.ts'
import { groupId, type NodeId, nodeId, term } from './base/brand.ts'
import { formatHostPort, type HostPort, parseHostPort } from './base/host-port.ts'
import { Random } from './base/random.ts'
import { DEFAULT_LIMITS } from './codec/entry/default-limits.ts'
import type { Limits } from './codec/entry/payload.ts'
import { encodePayload } from './codec/entry/payload-codec.ts'
import { sessionCodec } from './codec/session-codec.ts'
import { mount, type Mount, type Mountable } from './machine/index.ts'
import { counter, payments, register } from './machines/index.ts'
import type { Driver } from './node/driver.ts'
import type { SessionGateway } from './gateway/session-gateway.ts'
import type { SnapshotStore } from './node/ports/snapshot-store.ts'
import type { StorageFault } from './node/ports/storage-fault.ts'
import { systemClock } from './node/system-clock.ts'
import { whenLeading } from './node/when-leading.ts'
import type { LogLevel } from './protocol/log-level.ts'
import { checkTransition } from './raft/index.ts'
import type { RaftConfig } from './raft/types.ts'
import { ClusterService } from './server/cluster-service.ts'
import { GrpcServer } from './server/grpc-server.ts'
import { NodeLog } from './server/node-log.ts'
import { peerRefusals, RecentRefusals } from './server/peer-refusals.ts'
import { SessionService } from './server/session-service.ts'
import { type DataDirectory, openDataDirectory } from './storage/directory/data-directory.ts'
import { groupDirectory } from './storage/format/file-names.ts'
import { openSnapshotStore } from './storage/snapshot/snapshot-store.ts'
import { peerServiceDefinition } from './transport/peer-service.ts'
import { GrpcPeerTransport } from './transport/peer-transport.ts'

/** The composition root (architecture.md §2): configuration → directory and stores → node (`composeNode`) → servers. */

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
  readonly listen: HostPort
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
  /** What the node's log on stderr tells: JSON lines, one per event of its life. Default warn. */
  readonly logLevel?: LogLevel
  /** Gives the start up: it rejects with the signal's reason, and what was opened is closed. Later it does nothing. */
  readonly signal?: AbortSignal | undefined
  /** The node stopped because of a fault, which its log has told. Default: exits with code 74 (70: engine error). */
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
  options: Pick<NodeOptions, 'dataDirectory' | 'machines' | 'limits' | 'logLevel' | 'signal' | 'onFault'> &
    Partial<Pick<NodeOptions, 'listen'>>,
): Promise<RunningNode> {
  const listen = options.listen ?? { host: '127.0.0.1', port: 0 }
  const id = nodeId('n1')
  const running = await startNode({ ...options, id, listen, peers: [{ id, address: formatHostPort(listen) }] })
  const { signal } = options
  await new Promise<void>((resolve) => {
    whenLeading(running.node, resolve)
    signal?.addEventListener('abort', () => resolve(), { once: true })
    if (signal?.aborted === true) resolve()
  })
  if (signal?.aborted !== true) return running
  await running.close()
  throw signal.reason
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
    options.signal?.throwIfAborted()
    return await startOn(options, directory)
  } catch (error) {
    await new Promise<void>((resolve) => directory.release(resolve))
    throw error
  }
}

async function startOn(options: NodeOptions, directory: DataDirectory): Promise<RunningNode> {
  let driver: Driver | null = null
  const log = new NodeLog({
    node: options.id,
    group: GROUP,
    level: options.logLevel ?? 'warn',
    term: () => driver?.raftState.currentTerm ?? term(0),
  })
  const snapshots = await storage<SnapshotStore>((done) =>
    openSnapshotStore(join(options.dataDirectory, groupDirectory(GROUP)), done),
  )
  let transport: GrpcPeerTransport | null = null
  let composed: ComposedNode
  let mounted: Mount
  let refusals: RecentRefusals
  try {
    options.signal?.throwIfAborted()
    await settleClusterId(options, { directory, snapshots, log })
    const made = partsOf(options, { directory, snapshots, log })
    transport = made.transport
    refusals = made.refusals
    mounted = made.parts.machines
    composed = await storage<ComposedNode>((done) => composeNode(made.parts, done))
  } catch (error) {
    // Nothing dials on, and the directory can be opened again by this process.
    transport?.close(() => undefined)
    await new Promise<void>((resolve) => snapshots.close(resolve))
    throw error
  }
  driver = composed.driver
  return serve({ options, directory, transport, refusals, ...composed, mounted, log })
}

/**
 * A cluster's id follows from its first `--peers`. One that was mistyped there gave the directory an id that no other node
 * has: until it has taken part in a cluster, the directory takes the id of the corrected list.
 */
async function settleClusterId(
  options: NodeOptions,
  on: { directory: DataDirectory; snapshots: SnapshotStore; log: NodeLog },
): Promise<void> {
  const { directory, snapshots, log } = on
  const given = options.clusterId ?? clusterIdOf(options.peers)
  const { clusterId: known, started } = directory.identity
  if (given === known) return
  const unused = await storage<boolean>((done) =>
    isUnused({ disk: directory.disk, group: GROUP, snapshots, started }, done),
  )
  if (!unused) return
  await storage<true>((done) => directory.adoptCluster(given, (fault) => done(fault, fault === null ? true : null)))
  log.clusterIdChanged({ known, given })
}

interface Prepared {
  readonly parts: NodeParts & { readonly machines: Mount }
  readonly transport: GrpcPeerTransport
  readonly refusals: RecentRefusals
}

/** What the node is composed of. The transport dials from here on. */
function partsOf(
  options: NodeOptions,
  on: { directory: DataDirectory; snapshots: SnapshotStore; log: NodeLog },
): Prepared {
  const { directory, snapshots, log } = on
  const codec = sessionCodec
  const machines = mount(options.machines ?? [counter, register, payments], codec)
  const identity = {
    clusterId: directory.identity.clusterId,
    group: GROUP,
    id: options.id,
    instance: directory.identity.instanceId,
  }
  const told = peerRefusals((refusal) => log.peerRefused(refusal))
  const refusals = new RecentRefusals(() => systemClock.monotonicMs())
  const transport = new GrpcPeerTransport({
    identity,
    peers: new Map(options.peers.map((peer) => [peer.id, peer.address])),
    clock: systemClock,
    random: new Random(randomInt(2 ** 47)),
    note: (note) => {
      told(note)
      refusals.note(note)
    },
  })
  const parts: Prepared['parts'] = {
    identity,
    initialVoters: options.peers,
    machines,
    raft: options.raft,
    limits: options.limits,
    clock: systemClock,
    codec,
    snapshots,
    check: checkTransition,
    seed: randomInt(2 ** 47),
    openLog: logIn(directory),
    openTransport: (listener) => {
      transport.listen(listener)
      return transport
    },
  }
  return { parts, transport, refusals }
}

async function serve(parts: {
  options: NodeOptions
  directory: DataDirectory
  transport: GrpcPeerTransport
  refusals: RecentRefusals
  driver: Driver
  gateway: SessionGateway
  mounted: Mount
  log: NodeLog
}): Promise<RunningNode> {
  const { options, directory, transport, refusals, driver, gateway, mounted, log } = parts
  const sessions = new SessionService({ gateway })
  const closeNode = (): Promise<void> => new Promise((resolve) => driver.close(resolve))
  let server: GrpcServer
  try {
    options.signal?.throwIfAborted()
    server = await GrpcServer.listen({
      ...options.listen,
      insecure: options.insecure ?? false,
      graceMs: CLOSE_GRACE_MS,
      services: [
        sessions,
        { ...new ClusterService(gateway, () => refusals.current()), special: true },
        { definition: peerServiceDefinition, implementation: transport.implementation, special: true },
      ],
      onConnectionsRefused: () => log.connectionsRefused(),
    })
  } catch (error) {
    await closeNode()
    throw error
  }
  const known = driver.status().voters.map((id) => `${id}=${driver.addressOf(id)}`)
  const given = options.peers.map((peer) => `${peer.id}=${peer.address}`)
  if (known.length > 0 && known.toSorted().join() !== given.toSorted().join()) log.peersDiffer({ known, given })
  driver.listen(log)
  driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: options.onFault ?? exitOnFault,
  })
  const address = formatHostPort({ host: options.listen.host, port: server.port })
  log.listening(address)
  driver.advertise(reachedAt(options, address))
  driver.start()
  const close = async (): Promise<void> => {
    sessions.close()
    // New calls are refused from here on; streams of peers do not hold the node up.
    const closed = server.close()
    await closeNode()
    await closed
    log.flush()
    await new Promise<void>((resolve) => directory.release(resolve))
  }
  return { id: options.id, address, node: driver, gateway, mounted, close }
}

/** The directory's log. Once it is open, the directory says so: a log that is missing later was lost (storage.md §1.4). */
function logIn(directory: DataDirectory): NodeParts['openLog'] {
  const open = logOpener({
    disk: directory.disk,
    directory: groupDirectory(GROUP),
    group: GROUP,
    started: directory.identity.started,
    clock: systemClock,
  })
  return (snapshot, listener, done) =>
    open(snapshot, listener, (fault, opened) => {
      if (fault !== null || opened === null) return done(fault, null)
      directory.markStarted((unmarked) => {
        if (unmarked === null) done(null, opened)
        else opened.store.close(() => done(unmarked, null))
      })
    })
}

/** What the other members call this node; with port 0 nobody could, so the one it listens on. */
function reachedAt({ id, peers }: NodeOptions, listening: string): string {
  const own = peers.find((peer) => peer.id === id)?.address ?? listening
  return parseHostPort(own)?.port === 0 ? listening : own
}

/** The same voters give the same id: a new cluster's nodes agree on it without talking. */
function clusterIdOf(peers: NodeOptions['peers']): string {
  const voters = peers.map((peer) => `${peer.id}=${peer.address}`).sort()
  return createHash('sha256').update(voters.join(',')).digest('hex').slice(0, 32)
}

/** A failed write or sync is never retried: the process ends, the quorum lives (raft.md §5). */
function exitOnFault(fault: { readonly code: string }): void {
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
