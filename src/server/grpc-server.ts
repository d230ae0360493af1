import {
  logVerbosity,
  Server,
  ServerCredentials,
  setLogVerbosity,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { formatHostPort, isLoopback } from '../base/host-port.ts'
import { KEEP_ALIVE } from '../grpc/open-client.ts'
import { widenReceiveWindows } from './flow-control.ts'

/** Why a server does not listen; `code` is of scope `server` in protocol/errors.ts. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: 'PORT_IN_USE' | 'ADDRESS_UNAVAILABLE' | 'NOT_LOOPBACK'
  constructor(code: ListenError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export interface GrpcServerOptions {
  /** A name or an IP address, an IPv6 one without brackets. */
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Listens beyond loopback although nobody is authenticated. Default false. */
  readonly insecure?: boolean
  readonly services: readonly {
    readonly definition: ServiceDefinition
    readonly implementation: UntypedServiceImplementation
  }[]
  /** How long `close` waits for calls in progress. Default 1 s. */
  readonly graceMs?: number
}

/**
 * The largest message of any service: one peer message carries at most one entry of 16 MiB more than its bound of 2 MiB.
 * Client frames are bounded by FRAME_BYTES_MAX on top.
 */
const MESSAGE_BYTES_MAX = 20 * 1024 * 1024
const GRACE_MS = 1000

/** The node's one gRPC server: clients, operators and peers on one port. */
export class GrpcServer {
  /** The port that was bound. */
  readonly port: number
  private readonly server: Server
  private readonly graceMs: number

  private constructor(server: Server, port: number, graceMs: number) {
    this.server = server
    this.port = port
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
    const server = new Server({
      'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
      'grpc.max_send_message_length': -1,
      ...KEEP_ALIVE,
    })
    for (const { definition, implementation } of services) server.addService(definition, implementation)
    const address = formatHostPort({ host, port })
    const bound = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, number) => {
        if (error === null) resolve(number)
        else reject(listenError(error, address))
      })
    })
    widenReceiveWindows(server)
    return new GrpcServer(server, bound, graceMs)
  }

  /** Refuses new calls, waits a grace period for those in progress, then cuts them. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        this.server.forceShutdown()
        resolve()
      }, this.graceMs)
      this.server.tryShutdown(() => {
        clearTimeout(force)
        resolve()
      })
    })
  }
}

/** grpc-js gives no code: a port conflict is told from the text. */
function listenError(error: Error, address: string): ListenError {
  if (/EADDRINUSE|address already in use/i.test(error.message)) {
    return new ListenError('PORT_IN_USE', `Another process listens on ${address}. Stop it or choose another port.`)
  }
  return new ListenError('ADDRESS_UNAVAILABLE', `The server cannot listen on ${address}: ${error.message}`)
}
