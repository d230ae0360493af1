import { createServer, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import {
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  type ServerOptions,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { isLoopback } from '../base/host-port.ts'
import { KEEP_ALIVE } from '../grpc/keep-alive.ts'
import { type ByteHandler, takeByteStreams } from './byte-streams.ts'
import { DirectCalls } from './direct-calls.ts'
import { DescriptorBudget } from './descriptors.ts'
import { FirstBytes } from './first-bytes.ts'
import { widenReceiveWindows } from './flow-control.ts'
import { refusingService } from './refusing-service.ts'
import { ListenError, SocketListener } from './socket-listener.ts'

/** One service of a node. */
export interface ServedService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
  /** Peers and operators: served when there are descriptors left for nobody else. Default false: a client's. */
  readonly special?: true
  /**
   * Methods of it whose messages are bytes in both directions, and whose handlers use no more than a `ByteCall` has. They are
   * served on direct connections too.
   */
  readonly ofBytes?: readonly string[]
}

export interface GrpcServerOptions {
  /** A name or an IP address, an IPv6 one without brackets. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Listens beyond loopback although nobody is authenticated. Default false. */
  readonly insecure?: boolean
  readonly services: readonly ServedService[]
  /** How long `close` waits for calls in progress. Default 1 s. */
  readonly graceMs?: number
  /** Which connections are let in. Default: those for which this process has descriptors left. */
  readonly budget?: Pick<DescriptorBudget, 'admit'>
  /** Connections are refused for want of descriptors; at most once a minute. */
  readonly onConnectionsRefused?: () => void
}

/**
 * The largest message of any service: one peer message carries at most one entry of 16 MiB more than its bound of 2 MiB.
 * Client frames are bounded by FRAME_BYTES_MAX on top.
 */
const MESSAGE_BYTES_MAX = 20 * 1024 * 1024
const GRACE_MS = 1000
/** How long a connection that this end has closed may wait for the other end to do so. */
const LINGER_MS = 1_000
const REFUSED_TOLD_MS = 60_000
/** A connection that was refused, or says nothing, gives its descriptor back after this long without a call. */
const SPECIAL_IDLE_MS = 500
/** How long a connection may take to tell what it is. */
const FIRST_BYTES_MS = 10_000

/**
 * The node's one gRPC server: clients, operators and peers on one port. It accepts the connections itself, because grpc-js
 * accepts without a bound and knows none: while descriptors are scarce, a second server takes them, which serves peers and
 * operators and refuses clients with TOO_MANY_CONNECTIONS; what is kept for files is given to nobody.
 */
export class GrpcServer {
  /** The port that was bound. */
  readonly port: number
  private readonly listener: SocketListener
  private readonly servers: readonly ServedConnections[]
  private readonly graceMs: number

  private constructor(listener: SocketListener, servers: readonly ServedConnections[], graceMs: number) {
    this.listener = listener
    this.servers = servers
    this.port = listener.port
    this.graceMs = graceMs
  }

  /** Binds and serves. Rejects with ListenError. */
  static async listen(options: GrpcServerOptions): Promise<GrpcServer> {
    const { host, port, insecure = false, services, graceMs = GRACE_MS } = options
    if (!insecure && !isLoopback(host)) {
      throw new ListenError(
        'NOT_LOOPBACK',
        `Without authentication the server listens on loopback only, and ${host} is not. Use 127.0.0.1 or [::1].`,
      )
    }
    // grpc-js writes to stderr what it also reports by its callbacks; logs are pino's alone.
    setLogVerbosity(logVerbosity.NONE)
    const all = serverOf(services, { firstBytesMs: FIRST_BYTES_MS })
    takeByteStreams(all.server, byteHandlers(services), MESSAGE_BYTES_MAX)
    const special = serverOf(services.map(forSpecialOnly), {
      firstBytesMs: SPECIAL_IDLE_MS,
      more: { 'grpc.max_connection_idle_ms': SPECIAL_IDLE_MS },
    })
    const admit = admission(options, { all, special })
    const listener = await SocketListener.listen({ host, port }, () => createServer({ noDelay: true }, admit))
    return new GrpcServer(listener, [all, special], graceMs)
  }

  /** Refuses new connections and calls, waits a grace period for those in progress, then cuts them. */
  async close(): Promise<void> {
    this.listener.close()
    const { graceMs } = this
    // First, or one of them would still be handed to a server that is closed.
    for (const { undecided } of this.servers) undecided.close()
    await Promise.all(this.servers.flatMap(({ server, direct }) => [shutDown(server, graceMs), direct.close(graceMs)]))
  }
}

/** What serves connections of one kind. */
interface ServedConnections {
  readonly server: Server
  readonly direct: DirectCalls
  readonly undecided: FirstBytes
}

function serverOf(
  services: readonly ServedService[],
  { firstBytesMs, more }: { readonly firstBytesMs: number; readonly more?: ServerOptions },
): ServedConnections {
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': KEEP_ALIVE.everyMs,
    'grpc.keepalive_timeout_ms': KEEP_ALIVE.timeoutMs,
    'grpc.enable_channelz': 0,
    ...more,
  })
  for (const { definition, implementation } of services) server.addService(definition, implementation)
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure())
  widenReceiveWindows(server)
  const direct = new DirectCalls(byteHandlers(services), { messageBytesMax: MESSAGE_BYTES_MAX, openMs: firstBytesMs })
  const undecided = new FirstBytes(firstBytesMs, {
    direct: (socket) => direct.take(socket),
    http2: (socket) => injector.injectConnection(socket),
  })
  return { server, direct, undecided }
}

/** By the path of their method. */
function byteHandlers(services: readonly ServedService[]): ReadonlyMap<string, ByteHandler> {
  const handlers = new Map<string, ByteHandler>()
  for (const { definition, implementation, ofBytes = [] } of services) {
    for (const method of ofBytes) handlers.set(definition[method]?.path ?? '', implementation[method] as ByteHandler)
  }
  return handlers
}

function forSpecialOnly(service: ServedService): ServedService {
  if (service.special === true) return service
  return { ...service, implementation: refusingService(service.definition, 'TOO_MANY_CONNECTIONS') }
}

function admission(
  { budget = new DescriptorBudget(), onConnectionsRefused }: GrpcServerOptions,
  { all, special }: { readonly all: ServedConnections; readonly special: ServedConnections },
): (socket: Socket) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  return (socket) => {
    // A client that does not answer our end with its own must not keep the descriptor.
    socket.once('finish', () => setTimeout(() => socket.destroy(), LINGER_MS).unref())
    const admitted = budget.admit(socket)
    if (admitted === 'all') return all.undecided.take(socket)
    if (performance.now() - toldAt >= REFUSED_TOLD_MS) {
      toldAt = performance.now()
      onConnectionsRefused?.()
    }
    if (admitted === 'special') special.undecided.take(socket)
    else socket.destroy()
  }
}

async function shutDown(server: Server, graceMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown()
      resolve()
    }, graceMs)
    server.tryShutdown(() => {
      clearTimeout(force)
      resolve()
    })
  })
}
