import { endedBy, STATUS, type StreamEnd } from './stream-end.ts'

/** A message's prefix: whether it is compressed (1), and its length (4). */
const PREFIX_BYTES = 5

/** The message behind its prefix, as gRPC has it on a stream. */
export function prefixed(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  bytes[0] = 0
  bytes.writeUInt32BE(message.length, 1)
  bytes.set(message, PREFIX_BYTES)
  return bytes
}

/** Cuts the bytes of one stream into its messages, however they arrive. */
export class MessageReader {
  private readonly messageBytesMax: number
  private readonly deliver: (message: Buffer) => void
  private readonly prefix = Buffer.alloc(PREFIX_BYTES)
  private prefixBytes = 0
  private length = 0
  private parts: Buffer[] = []
  private partsBytes = 0

  /** `deliver` hears each whole message, which is a copy of its own. */
  constructor(messageBytesMax: number, deliver: (message: Buffer) => void) {
    this.messageBytesMax = messageBytesMax
    this.deliver = deliver
  }

  /** Null, or why these bytes and all after them are refused: a message too large, or one that is compressed. */
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
      this.parts.push(part)
      this.partsBytes += part.length
      if (this.partsBytes === this.length) this.deliver(this.take())
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
    this.length = this.prefix.readUInt32BE(1)
    if (this.prefix[0] !== 0) return endedBy(STATUS.internal, 'the message is compressed, which was not offered')
    if (this.length <= this.messageBytesMax) return null
    return endedBy(STATUS.resourceExhausted, `a message of ${this.length} bytes exceeds ${this.messageBytesMax}`)
  }

  private take(): Buffer {
    // Always a copy: a small message would else keep the whole read of its socket in memory.
    const message = Buffer.concat(this.parts, this.length)
    this.prefixBytes = 0
    this.parts = []
    this.partsBytes = 0
    return message
  }
}
