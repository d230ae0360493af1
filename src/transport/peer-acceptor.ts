import { Metadata, type ServerDuplexStream, status } from '@grpc/grpc-js'
import type { PeerEnvelope } from '../node/ports/peer-envelope.ts'
import type { PeerFrame } from '../node/ports/peer-transport.ts'
import { unwrapFrames } from '../protocol/frame-message.ts'
import { decodePeerFrame } from './peer-frame.ts'
import { FRAME_KIND_MAX } from './peer-message.ts'
import { FRAME_KINDS_HEADER } from './peer-service.ts'

/** Who this node is, as every frame to it must say. */
export interface PeerIdentity {
  readonly clusterId: string
  readonly group: number
  readonly id: string
  /** Random id of its data directory. */
  readonly instance: string
}

/** Code of the refusal by which a node learns that its disk is no member any more. */
export const REMOVED = 'REMOVED'

/** Why frames of a peer are refused; code and sentence go back as the stream's status. */
export interface PeerRefusal {
  readonly code:
    | 'MALFORMED_FRAME'
    | 'CORRUPT_FRAME'
    | 'WRONG_CLUSTER'
    | 'WRONG_GROUP'
    | 'WRONG_RECIPIENT'
    | 'WRONG_INSTANCE'
    | 'REMOVED'
  readonly message: string
}

/**
 * Null when the envelope is meant for this node: verified at each end before anything else (raft.md §1, wire.md §7,
 * step 2).
 */
export function checkEnvelope(self: PeerIdentity, frame: PeerEnvelope): PeerRefusal | null {
  if (frame.clusterId !== self.clusterId) {
    return {
      code: 'WRONG_CLUSTER',
      message: `this node belongs to cluster ${self.clusterId}, the frame to ${frame.clusterId}`,
    }
  }
  if (frame.group !== self.group)
    return { code: 'WRONG_GROUP', message: `this node serves group ${self.group}, not ${frame.group}` }
  if (frame.recipient !== self.id || frame.sender === self.id) {
    return {
      code: 'WRONG_RECIPIENT',
      message: `this is node ${self.id}; the frame goes from ${frame.sender} to ${frame.recipient}`,
    }
  }
  if (frame.recipientInstance !== '' && frame.recipientInstance !== self.instance) {
    const message =
      `node ${self.id} has another data directory than the sender knows; if its old one is lost, ` +
      `\`holdfast member replace ${self.id}\` gives its place to this one`
    return { code: 'WRONG_INSTANCE', message }
  }
  return null
}

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
  let ended = false
  const refuse = (refusal: PeerRefusal): void => {
    ended = true
    listener.onRefused(refusal)
    call.emit('error', { code: status.FAILED_PRECONDITION, details: `${refusal.code}: ${refusal.message}` })
  }
  const accept = (bytes: Buffer): void => {
    const decoded = decodePeerFrame(bytes)
    if (!decoded.ok) return refuse(decoded.error)
    const refusal = checkEnvelope(self, decoded.value)
    if (refusal !== null) return refuse(refusal)
    const { sender, senderInstance } = decoded.value
    if (listener.isRemoved(senderInstance)) {
      return refuse({ code: REMOVED, message: `the disk of ${sender} that speaks here is no member any more` })
    }
    listener.onFrame(decoded.value)
  }
  // The dialler waits for these headers: they tell it that a server, not only a listening socket, is there,
  // and which frames this build takes: one of an unknown kind would end the stream.
  const metadata = new Metadata()
  metadata.set(FRAME_KINDS_HEADER, String(FRAME_KIND_MAX))
  call.sendMetadata(metadata)
  call.on('data', (message: Buffer) => {
    const frames = unwrapFrames(message)
    if (frames === null && !ended) refuse({ code: 'MALFORMED_FRAME', message: 'the message is no PeerMessage' })
    for (const frame of frames ?? []) if (!ended) accept(frame)
  })
  call.on('end', () => {
    if (ended) return
    ended = true
    call.end()
  })
  call.on('error', () => {
    ended = true
  })
  call.on('cancelled', () => {
    ended = true
  })
}
