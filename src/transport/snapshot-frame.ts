import { logIndex } from '../base/brand.ts'
import { failure, type Result, success } from '../base/result.ts'
import { crc32 } from '../codec/bytes/crc.ts'
import { decodePayload } from '../codec/entry/payload-codec.ts'
import { dictionary, integer, list, object, type Shape, string, uint32 } from '../codec/entry/shape.ts'
import { ValueError } from '../codec/value/value-error.ts'
import type { SnapshotMeta } from '../node/ports/snapshot-store.ts'
import type { SnapshotAnswer, SnapshotRequest } from '../node/ports/snapshot-transfer.ts'
import { ByteReader, ByteWriter, FrameError } from '../protocol/bytes.ts'
import { NAME_BYTES_MAX } from '../protocol/limits.ts'
import { readEnvelope, writeEnvelope } from './envelope.ts'
import type { PeerFrameRefusal } from './peer-frame.ts'

/** First byte of a request and of an answer; another one is refused (docs/format.md, "Pulling a snapshot"). */
const VERSION = 1
/** Version and checksum. */
const PREFIX_BYTES = 5
/** Most bytes of what is told of a snapshot besides its rows: JSON with a Configuration in base64. */
const META_BYTES_MAX = 1024 * 1024
/** Most members of one kind in a Configuration: far more than a cluster has. */
const MEMBERS_MAX = 1024
/** Most bytes of a row's key. */
const KEY_BYTES_MAX = 1024 * 1024

const writer = new ByteWriter(16 * 1024)
const reader = new ByteReader()

/** Envelope and part asked for, behind version and checksum. */
export function encodeSnapshotRequest(request: SnapshotRequest): Buffer {
  writeEnvelope(writer, request)
  writer.varint(request.index)
  writeKey(request.after)
  return checked([writer.take()])
}

/** The inverse. Never throws for bad bytes. */
export function decodeSnapshotRequest(bytes: Buffer): Result<SnapshotRequest, PeerFrameRefusal> {
  return decoded(bytes, () => ({
    ...readEnvelope(reader),
    index: logIndex(reader.varint()),
    after: readKey(),
  }))
}

/** An answer, its rows as they are packed; null: there is none to give. */
export function encodeSnapshotAnswer(answer: SnapshotAnswer | null): Buffer {
  writer.byte(answer === null ? 0 : 1)
  if (answer === null) return checked([writer.take()])
  const { meta, total, after, part } = answer
  writer.bytes(Buffer.from(JSON.stringify(meta), 'utf8'))
  writer.varint(total)
  writeKey(after)
  writeKey(part.lastKey)
  writer.varint(part.rows)
  return checked([writer.take(), part.bytes])
}

/** The inverse; rows are a view of `bytes`. Never throws for bad bytes. */
export function decodeSnapshotAnswer(bytes: Buffer): Result<SnapshotAnswer | null, PeerFrameRefusal> {
  return decoded(bytes, () => {
    if (reader.byte() === 0) return null
    const meta = readMeta(reader.bytes(META_BYTES_MAX))
    const total = reader.varint()
    const after = readKey()
    const lastKey = readKey()
    const rows = reader.varint()
    return { meta, total, after, part: { lastKey, rows, bytes: reader.rest() } }
  })
}

function checked(parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat([Buffer.alloc(PREFIX_BYTES), ...parts])
  body[0] = VERSION
  body.writeUInt32BE(crc32(body, PREFIX_BYTES, body.length, 0), 1)
  return body
}

function decoded<Value>(bytes: Buffer, read: () => Value): Result<Value, PeerFrameRefusal> {
  if (bytes.length < PREFIX_BYTES || bytes[0] !== VERSION)
    return failure({ code: 'MALFORMED_FRAME', message: 'no message of version 1 about a snapshot' })
  if (crc32(bytes, PREFIX_BYTES, bytes.length, 0) !== bytes.readUInt32BE(1))
    return failure({ code: 'CORRUPT_FRAME', message: 'the checksum does not match' })
  try {
    reader.reset(bytes.subarray(PREFIX_BYTES))
    const value = read()
    if (!reader.done) throw new FrameError('the message goes on behind its end')
    return success(value)
  } catch (error) {
    if (error instanceof FrameError) return failure({ code: 'MALFORMED_FRAME', message: error.message })
    throw error
  }
}

const milliseconds: Shape<number> = (value, path) => {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new ValueError('BAD_BYTES', path, `expected milliseconds at ${path}`)
}
const members = list(string(NAME_BYTES_MAX), MEMBERS_MAX)
const META = object({
  lastIncludedIndex: integer(1),
  lastIncludedTerm: integer(1),
  chain: uint32,
  lease: milliseconds,
  now: milliseconds,
  configuration: object({
    index: integer(1),
    configuration: object({ voters: members, learners: members, outgoing: members, promoting: members }),
  }),
  configurationPayload: string(META_BYTES_MAX),
  stateHash: string(16, /^[0-9a-f]{16}$/),
  incarnation: integer(1),
  machineVersions: dictionary,
  rowCount: integer(),
  digest: uint32,
})

/** The checksum says that these are the sender's bytes, not that a sender of this build wrote them. */
function readMeta(bytes: Buffer): SnapshotMeta {
  try {
    const meta = META(JSON.parse(bytes.toString('utf8')), 'meta') as unknown as SnapshotMeta
    decodePayload('Configuration', Uint8Array.from(Buffer.from(meta.configurationPayload, 'base64')))
    return meta
  } catch (error) {
    if (!(error instanceof ValueError) && !(error instanceof SyntaxError)) throw error
    throw new FrameError(`what is said of the snapshot does not fit: ${error.message}`)
  }
}

/** A key is a binary string: one byte for each of its units. */
function writeKey(key: string | null): void {
  writer.byte(key === null ? 0 : 1)
  if (key !== null) writer.bytes(Buffer.from(key, 'latin1'))
}

function readKey(): string | null {
  return reader.byte() === 0 ? null : reader.bytes(KEY_BYTES_MAX).toString('latin1')
}
