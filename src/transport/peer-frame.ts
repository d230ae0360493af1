import { failure, type Result, success } from '../base/result.ts'
import { crc32 } from '../codec/bytes/crc.ts'
import type { PeerFrame } from '../node/ports/peer-transport.ts'
import { ByteReader, ByteWriter, FrameError } from '../protocol/bytes.ts'
import { readEnvelope, writeEnvelope } from './envelope.ts'
import { type PeerHeader, readBody, writeBody } from './peer-message.ts'

/** First byte of every peer frame; another one is refused (docs/format.md, "Peer frames"). */
const PEER_FRAME_VERSION = 1
/** Version, header length and header checksum. */
const PREFIX_BYTES = 9
/** A header is an envelope and a message without its records: 8,192 runs of 9 bytes are the most it can hold. */
const HEADER_BYTES_MAX = 128 * 1024

/** Why bytes are not a peer frame: the code of the connection's close reason. */
export interface PeerFrameRefusal {
  readonly code: 'MALFORMED_FRAME' | 'CORRUPT_FRAME'
  readonly message: string
}

const NO_RECORDS = new Uint8Array(0)
const scratch = new ByteWriter(16 * 1024)
const reader = new ByteReader()

/**
 * Layout (docs/format.md, "Peer frames"): version (1), header length (uint32), CRC-32 of the header (uint32), header,
 * records to the end. The records carry checksums of their own. `headroom` bytes are left free in front, for the
 * message that wraps the frame.
 */
export function encodePeerFrame(frame: PeerFrame, headroom = 0): Buffer {
  writeEnvelope(scratch, frame)
  writeBody(scratch, frame.body)
  const header = scratch.take()
  const records = frame.body.kind === 'raft' ? frame.body.records : NO_RECORDS
  const bytes = Buffer.allocUnsafe(headroom + PREFIX_BYTES + header.length + records.length)
  bytes[headroom] = PEER_FRAME_VERSION
  bytes.writeUInt32BE(header.length, headroom + 1)
  bytes.writeUInt32BE(crc32(header, 0, header.length, 0), headroom + 5)
  bytes.set(header, headroom + PREFIX_BYTES)
  bytes.set(records, headroom + PREFIX_BYTES + header.length)
  return bytes
}

/**
 * The inverse. Verifies the header's checksum, and that records follow exactly where the message names some. What the
 * records hold is the driver's to verify, because only it knows the chain value before them; it also fills in the
 * message's `configurations`, empty here. The records are a view of `bytes`. Never throws for bad bytes.
 */
export function decodePeerFrame(bytes: Buffer): Result<PeerFrame, PeerFrameRefusal> {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== PEER_FRAME_VERSION)
    return refuse('MALFORMED_FRAME', 'no peer frame of version 1')
  const headerLength = bytes.readUInt32BE(1)
  if (headerLength > HEADER_BYTES_MAX || PREFIX_BYTES + headerLength > bytes.length)
    return refuse('MALFORMED_FRAME', 'the header is cut off')
  const header = bytes.subarray(PREFIX_BYTES, PREFIX_BYTES + headerLength)
  if (crc32(header, 0, headerLength, 0) !== bytes.readUInt32BE(5))
    return refuse('CORRUPT_FRAME', "the header's checksum does not match")
  try {
    return readFrame(header, bytes.subarray(PREFIX_BYTES + headerLength))
  } catch (error) {
    if (error instanceof FrameError) return refuse('MALFORMED_FRAME', error.message)
    throw error
  }
}

function readFrame(header: Buffer, records: Buffer): Result<PeerFrame, PeerFrameRefusal> {
  reader.reset(header)
  const envelope = readEnvelope(reader)
  const body = readBody(reader)
  if (!reader.done) return refuse('MALFORMED_FRAME', 'the header goes on behind its message')
  if (body.kind !== 'raft' || body.message.kind !== 'appendEntries' || body.message.runs.length === 0) {
    if (records.length > 0) return refuse('MALFORMED_FRAME', 'records follow a message that names none')
    return success({ ...envelope, body: withRecords(body, NO_RECORDS) })
  }
  if (records.length === 0) return refuse('MALFORMED_FRAME', 'the message names entries that do not follow')
  return success({ ...envelope, body: withRecords(body, records) })
}

function withRecords(header: PeerHeader, records: Uint8Array): PeerFrame['body'] {
  return header.kind !== 'raft' ? header : { kind: 'raft', message: header.message, records, wallMs: header.wallMs }
}

function refuse(code: PeerFrameRefusal['code'], message: string): Result<PeerFrame, PeerFrameRefusal> {
  return failure({ code, message })
}
