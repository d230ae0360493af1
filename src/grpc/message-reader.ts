import { endedBy, STATUS, type StreamEnd } from './stream-end.ts'

/** A message's prefix: its kind (1), and its length (4). In gRPC the kind says whether it is compressed. */
export const PREFIX_BYTES = 5
const COMPRESSED = 1

/** The message behind its prefix, as gRPC has it on a stream. */
export function prefixed(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  writePrefix(bytes, 0, { kind: 0, payload: message })
  bytes.set(message, PREFIX_BYTES)
  return bytes
}

/** Puts the prefix in front of where the payload goes. */
export function writePrefix(
  bytes: Buffer,
  at: number,
  { kind, payload }: { readonly kind: number; readonly payload: Buffer },
): void {
  bytes[at] = kind
  bytes.writeUInt32BE(payload.length, at + 1)
}

/** What a reader accepts, and what it hands over. */
export interface MessageBounds {
  /** Of messages of kind 0: in gRPC one that is not compressed. Null: there may be none yet, on a direct connection. */
  readonly messageBytesMax: number | null
  /** Which other kinds there are, up to the highest, and how many bytes these have at most. Default: none. */
  readonly others?: { readonly kindMax: number; readonly bytesMax: number }
  /**
   * A message that is at least half of what was read at once is a view of that, and no copy. Default false: what HTTP/2 hands
   * over may be a small part of what its socket has read.
   */
  readonly views?: boolean
}

/** Cuts the bytes of one stream into its messages, however they arrive. */
export class MessageReader {
  private readonly bounds: MessageBounds
  private readonly deliver: (message: Buffer, kind: number) => void
  private readonly prefix = Buffer.alloc(PREFIX_BYTES)
  private prefixBytes = 0
  private length = 0
  private parts: Buffer[] = []
  private partsBytes = 0

  /** `deliver` hears each whole message, which is its own to keep. */
  constructor(bounds: MessageBounds, deliver: (message: Buffer, kind: number) => void) {
    this.bounds = bounds
    this.deliver = deliver
  }

  /** Null, or why these bytes and all after them are refused: a message too large, or of another kind. */
  read(chunk: Buffer): StreamEnd | null {
    let at = 0
    while (at < chunk.length) {
      if (this.prefixBytes < PREFIX_BYTES) {
        at += this.readPrefix(chunk, at)
        if (this.prefixBytes < PREFIX_BYTES) return null
        const refused = this.checkPrefix()
        if (refused !== null) return refused
      }
      const part = chunk.subarray(at, at + this.length - this.partsBytes)
      at += part.length
      this.partsBytes += part.length
      if (this.partsBytes < this.length) this.parts.push(part)
      else this.deliver(this.take(part, chunk), this.prefix[0] ?? 0)
    }
    return null
  }

  private readPrefix(chunk: Buffer, from: number): number {
    const count = Math.min(PREFIX_BYTES - this.prefixBytes, chunk.length - from)
    chunk.copy(this.prefix, this.prefixBytes, from, from + count)
    this.prefixBytes += count
    return count
  }

  private checkPrefix(): StreamEnd | null {
    const { messageBytesMax, others } = this.bounds
    const kind = this.prefix[0] ?? 0
    this.length = this.prefix.readUInt32BE(1)
    if (kind === COMPRESSED) return endedBy(STATUS.internal, 'the message is compressed, which was not offered')
    if (kind > (others?.kindMax ?? 0)) return endedBy(STATUS.internal, `there is no message of kind ${kind}`)
    if (kind === 0 && messageBytesMax === null) return endedBy(STATUS.internal, 'a message comes before the call')
    const bytesMax = kind === 0 ? (messageBytesMax ?? 0) : (others?.bytesMax ?? 0)
    if (this.length <= bytesMax) return null
    return endedBy(STATUS.resourceExhausted, `a message of ${this.length} bytes exceeds ${bytesMax}`)
  }

  /** A small message that is a view would keep the whole read of its socket in memory. */
  private take(last: Buffer, chunk: Buffer): Buffer {
    const { parts } = this
    this.prefixBytes = 0
    this.partsBytes = 0
    if (parts.length > 0) {
      this.parts = []
      parts.push(last)
      return Buffer.concat(parts, this.length)
    }
    return this.bounds.views === true && 2 * last.length >= chunk.length ? last : Buffer.from(last)
  }
}
