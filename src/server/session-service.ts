import type {
  MethodDefinition,
  ServerDuplexStream,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import { asIs } from '../grpc/as-is.ts'
import { loadServedService } from '../grpc/load-service.ts'
import { ConnectStream } from './connect-stream.ts'
import { statusObject } from './grpc-error.ts'
import { unaryCalls } from './unary-calls.ts'

/** Client streams that one node serves at once. */
const CONNECTIONS_MAX = 4096

export interface SessionServiceOptions {
  readonly gateway: SessionGateway
  readonly connectionsMax?: number
  readonly slowReaderBytes?: number
  /** A stream ended: its code, "" for an ordinary end. */
  readonly note?: (code: string) => void
}

/** `SessionService` over a gateway, to be added to a gRPC server. */
export class SessionService {
  readonly definition: ServiceDefinition
  readonly implementation: UntypedServiceImplementation
  readonly ofBytes = ['Connect'] as const
  private readonly options: SessionServiceOptions
  private readonly streams = new Set<ConnectStream>()

  constructor(options: SessionServiceOptions) {
    this.options = options
    const definition = loadServedService('holdfast/v1/session.proto', 'holdfast.v1.SessionService')
    const connect = definition['Connect'] as MethodDefinition<Buffer, Buffer>
    this.definition = { ...definition, Connect: { ...connect, requestDeserialize: asIs, responseSerialize: asIs } }
    this.implementation = {
      ...unaryCalls(options.gateway),
      Connect: (call: ServerDuplexStream<Buffer, Buffer>) => this.connect(call),
    }
  }

  get streamCount(): number {
    return this.streams.size
  }

  /** Ends every stream; clients go elsewhere. */
  close(): void {
    for (const stream of [...this.streams]) stream.fail('NODE_STOPPED', 'the node is stopping')
  }

  private connect(call: ServerDuplexStream<Buffer, Buffer>): void {
    const { gateway, connectionsMax, slowReaderBytes, note } = this.options
    if (this.streams.size >= (connectionsMax ?? CONNECTIONS_MAX)) {
      call.emit('error', statusObject('connection', 'TOO_MANY_CONNECTIONS'))
      return
    }
    const stream = new ConnectStream(call, {
      gateway,
      ...(slowReaderBytes === undefined ? {} : { slowReaderBytes }),
      ended: (code) => {
        this.streams.delete(stream)
        note?.(code)
      },
    })
    this.streams.add(stream)
  }
}
