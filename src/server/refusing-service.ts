import type {
  sendUnaryData,
  ServerDuplexStream,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedServiceImplementation,
} from '@grpc/grpc-js'
import { statusObject } from './grpc-error.ts'

/** Every call of a service, unary or a stream both ways, refused with a code of scope `connection`. */
export function refusingService(definition: ServiceDefinition, code: string): UntypedServiceImplementation {
  const refusal = statusObject('connection', code)
  const unary = (_call: ServerUnaryCall<unknown, unknown>, reply: sendUnaryData<unknown>): void =>
    reply({ ...refusal, name: code, message: refusal.details })
  const stream = (call: ServerDuplexStream<unknown, unknown>): void => void call.emit('error', refusal)
  return Object.fromEntries(
    Object.entries(definition).map(([name, { requestStream }]) => [name, requestStream ? stream : unary]),
  )
}
