import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js'
import type { PeerFrame } from '../node/ports/peer-transport.ts'
import { AcceptedFrames } from './accepted-frames.ts'
import { checkEnvelope, type PeerIdentity, type PeerRefusal } from './envelope.ts'
import { decodePeerFrame } from './peer-frame.ts'
import { FRAME_KIND_MAX } from './peer-message.ts'
import { FRAME_KINDS_HEADER } from './peer-service.ts'

/** Code of the refusal by which a node learns that its disk is no member any more. */
export const REMOVED = 'REMOVED'

/**
 * The receiving half: verifies every frame of one stream and hands it over; ends the stream at the first bad one, with its
 * code and sentence as the status.
 */
export function acceptPeer(
  call: ServerDuplexStream<Buffer, Buffer>,
  self: PeerIdentity,
  listener: {
    onFrame(frame: PeerFrame): void
    onRefused(refusal: PeerRefusal): void
    /** That disk was a member and is none any more. */
    isRemoved(instance: string): boolean
  },
): void {
  const frames = new AcceptedFrames(call, (refusal) => listener.onRefused(refusal))
  // The dialler waits for these headers: they tell it that a server, not only a listening socket, is there,
  // and which frames this build takes: one of an unknown kind would end the stream.
  const metadata = new Metadata()
  metadata.set(FRAME_KINDS_HEADER, String(FRAME_KIND_MAX))
  call.sendMetadata(metadata)
  frames.read((bytes) => {
    const decoded = decodePeerFrame(bytes)
    if (!decoded.ok) return frames.refuse(decoded.error)
    const refusal = checkEnvelope(self, decoded.value)
    if (refusal !== null) return frames.refuse(refusal)
    const { sender, senderInstance } = decoded.value
    if (listener.isRemoved(senderInstance)) {
      return frames.refuse({ code: REMOVED, message: `the disk of ${sender} that speaks here is no member any more` })
    }
    listener.onFrame(decoded.value)
  })
}
