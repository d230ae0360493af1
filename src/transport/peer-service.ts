import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import { asIs } from '../grpc/as-is.ts'

/**
 * Paths of the methods of `PeerService` (proto/holdfast/v1/peer.proto): Raft's frames, what a follower pulls, and questions
 * about keys.
 */
export const PEER_STREAM_PATH = '/holdfast.v1.PeerService/Stream'
export const PULL_STREAM_PATH = '/holdfast.v1.PeerService/Pull'
export const KEYS_STREAM_PATH = '/holdfast.v1.PeerService/Keys'

/** Metadata with which the receiving end of a stream says the highest kind of frame that it takes. */
export const FRAME_KINDS_HEADER = 'holdfast-frame-kinds'

const ofBytes = (path: string): MethodDefinition<Buffer, Buffer> => ({
  path,
  requestStream: true,
  responseStream: true,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
})

export const peerServiceDefinition: ServiceDefinition = {
  Stream: ofBytes(PEER_STREAM_PATH),
  Pull: ofBytes(PULL_STREAM_PATH),
  Keys: ofBytes(KEYS_STREAM_PATH),
}
