import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { asIs } from '../grpc/as-is.ts'

/** Path of the one method of `PeerService` (proto/holdfast/v1/peer.proto). */
export const PEER_STREAM_PATH = '/holdfast.v1.PeerService/Stream'

/** Metadata with which the receiving end of a stream says the highest kind of frame that it takes. */
export const FRAME_KINDS_HEADER = 'holdfast-frame-kinds'

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
