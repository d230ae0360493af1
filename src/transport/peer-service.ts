import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { asIs } from '../grpc/as-is.ts'

/** Path of the one method of `PeerService` (proto/holdfast/v1/peer.proto). */
export const PEER_STREAM_PATH = '/holdfast.v1.PeerService/Stream'

const streamMethod: MethodDefinition<Buffer, Buffer> = {
  path: PEER_STREAM_PATH,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
}

export const peerServiceDefinition: ServiceDefinition = { Stream: streamMethod }
