import { groupId, isNodeId, type NodeId } from '../base/brand.ts'
import type { PeerEnvelope } from '../node/ports/peer-envelope.ts'
import { type ByteReader, type ByteWriter, FrameError } from '../protocol/bytes.ts'
import { NAME_BYTES_MAX, TEXT_BYTES_MAX } from '../protocol/limits.ts'

/** Who this node is, as every frame to it must say. */
export interface PeerIdentity {
  readonly clusterId: string
  readonly group: number
  readonly id: string
  /** Random id of its data directory. */
  readonly instance: string
}

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

/** The envelope, as it begins peer frames and requests for snapshots (docs/format.md). */
export function writeEnvelope(writer: ByteWriter, envelope: PeerEnvelope): void {
  writer.text(envelope.clusterId)
  writer.varint(envelope.group)
  writer.text(envelope.sender)
  writer.text(envelope.recipient)
  writer.text(envelope.senderInstance)
  writer.text(envelope.recipientInstance)
}

/** The inverse; throws FrameError. */
export function readEnvelope(reader: ByteReader): PeerEnvelope {
  const clusterId = reader.name(TEXT_BYTES_MAX)
  const group = reader.varint()
  if (group > 0xffffffff) throw new FrameError('a group exceeds 32 bits')
  return {
    clusterId,
    group: groupId(group),
    sender: readNode(reader),
    recipient: readNode(reader),
    senderInstance: reader.name(NAME_BYTES_MAX),
    recipientInstance: reader.name(NAME_BYTES_MAX),
  }
}

function readNode(reader: ByteReader): NodeId {
  const name = reader.name(NAME_BYTES_MAX)
  if (!isNodeId(name)) throw new FrameError('a node id is 1–63 of a-z 0-9 -')
  return name
}
