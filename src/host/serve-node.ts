import { formatHostPort, parseHostPort } from '../base/host-port.ts'
import { inProcessServer } from '../gateway/in-process-server.ts'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import type { Driver } from '../node/driver.ts'
import { handOver } from '../node/leaving/hand-over.ts'
import { systemClock } from '../node/system-clock.ts'
import { dialGrpc } from '../client/connection/grpc.ts'
import { inProcessDial, type InProcessServer } from '../client/connection/in-process.ts'
import { type ServedHttp, serveHttp } from '../http/serve-http.ts'
import { ClusterService, type NamedBuild } from '../server/cluster-service.ts'
import { DescriptorBudget } from '../server/descriptors.ts'
import { GrpcServer } from '../server/grpc-server.ts'
import type { NodeLog } from '../server/log/node-log.ts'
import type { RecentRefusals } from '../server/peer-refusals.ts'
import { OperatorService } from '../server/operator/operator-service.ts'
import { SessionService } from '../server/session-service.ts'
import type { DataDirectory } from '../storage/directory/data-directory.ts'
import { peerServiceDefinition } from '../transport/peer-service.ts'
import type { GrpcPeerTransport } from '../transport/peer-transport.ts'
import type { CheckedOptions } from './check-options.ts'
import type { DiskWatch } from './faults/disk-watch.ts'
import { exitOnFault } from './faults/exit-on-fault.ts'
import type { RunningNode } from './running-node.ts'

/** The service of the other nodes, but who implements it. */
const PEERS = { definition: peerServiceDefinition, special: true, ofBytes: ['Stream', 'Pull', 'Keys'] } as const

/** How long calls in progress may take once the node closes. */
const CLOSE_GRACE_MS = 100

/** Listens, gives the driver its first event, and knows how to end all of it in order. Rejects with ListenError. */
export async function serve(parts: {
  options: CheckedOptions
  directory: DataDirectory
  transport: GrpcPeerTransport
  refusals: RecentRefusals
  room: DiskWatch
  builds: () => readonly NamedBuild[]
  driver: Driver
  gateway: SessionGateway
  log: NodeLog
}): Promise<RunningNode> {
  const { options, directory, transport, refusals, room, builds, driver, gateway, log } = parts
  const sessions = new SessionService({ gateway })
  const operators = new OperatorService(gateway)
  const closeNode = (): Promise<void> => {
    room.stop()
    return new Promise<void>((resolve) => driver.close(resolve)).then(() => gateway.options.personal?.keys.close())
  }
  let server: GrpcServer
  try {
    options.signal?.throwIfAborted()
    server = await GrpcServer.listen({
      ...options.listen,
      insecure: options.insecure ?? false,
      graceMs: CLOSE_GRACE_MS,
      services: [
        sessions,
        { ...new ClusterService(gateway, () => refusals.current(), builds), special: true },
        { ...operators, special: true },
        { ...PEERS, implementation: transport.implementation },
      ],
      onConnectionsRefused: () => log.connectionsRefused(),
    })
  } catch (error) {
    await closeNode()
    throw error
  }
  const address = formatHostPort({ host: options.listen.host, port: server.port })
  const { accept } = inProcessServer(gateway)
  let http: ServedHttp | null
  try {
    http = await httpOf(options, { log, own: { address: reachedAt(options, address), accept } })
  } catch (error) {
    await server.close()
    await closeNode()
    throw error
  }
  warnOfOtherPeers(options, { driver, log })
  log.listening(address)
  begin(options, { driver, log, address })
  const close = async (): Promise<void> => {
    const { electionTimeoutMinMs, heartbeatMs } = driver.raftState.config
    await handOver(driver, {
      clock: systemClock,
      withinMs: electionTimeoutMinMs,
      againMs: heartbeatMs,
      reachable: () => driver.status().voters.some((voter) => transport.connected(voter)),
    })
    // Those who wait for an answer still get it.
    await http?.close()
    sessions.close()
    operators.close()
    // New calls are refused from here on; streams of peers do not hold the node up.
    const closed = server.close()
    gateway.stopped({ code: 'NODE_STOPPED', message: 'the node was closed' })
    await closeNode()
    await closed
    log.flush()
    await new Promise<void>((resolve) => directory.release(resolve))
  }
  let closing: Promise<void> | null = null
  return {
    id: options.id,
    address,
    httpAddress: options.http === null || http === null ? null : formatHostPort({ ...options.http, port: http.port }),
    status: () => driver.status(),
    accept,
    close: () => (closing ??= close()),
  }
}

/** The node's HTTP port, if it has one. Rejects with ListenError. */
async function httpOf(
  { http: listen, webhookSecret, id, peers }: CheckedOptions,
  { log, own }: { log: NodeLog; own: { readonly address: string } & InProcessServer },
): Promise<ServedHttp | null> {
  if (listen === null) return null
  const inProcess = inProcessDial(() => own)
  const http = await serveHttp({
    listen,
    node: id,
    dial: (endpoint, listener) => (endpoint === own.address ? inProcess : dialGrpc)(endpoint, listener),
    endpoints: [own.address, ...peers.filter((peer) => peer.id !== id).map((peer) => peer.address)],
    secret: webhookSecret ?? null,
    budget: new DescriptorBudget(),
    onUnparsed: (unparsed) => log.http.unparsed(unparsed),
    onNotCommitted: (code) => log.http.notCommitted(code),
    onBug: (error) => log.http.failed(error),
  })
  log.http.listening(formatHostPort({ ...listen, port: http.port }))
  return http
}

function begin(options: CheckedOptions, on: { driver: Driver; log: NodeLog; address: string }): void {
  const { driver, log, address } = on
  driver.listen(log)
  driver.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: () => undefined,
    stopped: options.onFault ?? exitOnFault,
  })
  driver.advertise(reachedAt(options, address))
  driver.start()
}

/** The log's configuration counts, not the list that the node was started with. */
function warnOfOtherPeers({ peers }: CheckedOptions, { driver, log }: { driver: Driver; log: NodeLog }): void {
  const known = driver.status().voters.map((id) => `${id}=${driver.addressOf(id)}`)
  const given = peers.map((peer) => `${peer.id}=${peer.address}`)
  if (known.length > 0 && known.toSorted().join() !== given.toSorted().join()) log.peersDiffer({ known, given })
}

/** What the other members call this node; with port 0 nobody could, so the one it listens on. */
function reachedAt({ id, peers }: CheckedOptions, listening: string): string {
  const own = peers.find((peer) => peer.id === id)?.address ?? listening
  return parseHostPort(own)?.port === 0 ? listening : own
}
