import { assert } from '../base/assert.ts'

/** Why a frame could not be read. The frame is refused as a whole from the message where it went wrong. */
export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** Bytes of a slab: small frames are cut from one allocation, one after the other. A connection that is idle holds one. */
const SLAB_BYTES = 16 * 1024

const NO_BYTES = Buffer.alloc(0)
const TWO_28 = 0x10000000
const TWO_53 = 0x20000000000000

/**
 * Appends the primitives of packed frames to a growing slab.
 *
 * PERF: `take` hands out a view of the slab and goes on behind it, so that a frame is written once and never copied
 * here; a slab is freed with the last frame cut from it.
 */
export class ByteWriter {
  private readonly slabBytes: number
  private buffer: Buffer = NO_BYTES
  private start = 0
  private position = 0

  constructor(slabBytes: number = SLAB_BYTES) {
    this.slabBytes = slabBytes
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.position - this.start
  }

  /** The bytes written since the last `take`, which the writer never touches again. */
  take(): Buffer {
    const taken = this.buffer.subarray(this.start, this.position)
    this.start = this.position
    return taken
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[this.position++] = value
  }

  /** Unsigned LEB128 of an integer in [0, 2^53): 1 to 8 bytes. */
  varint(value: number): void {
    assert(value >= 0 && value < TWO_53, 'a varint holds an integer from 0 to 2^53-1', { value })
    this.reserve(8)
    let rest = value
    while (rest >= TWO_28) {
      this.buffer[this.position++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    let low = rest | 0
    while (low >= 0x80) {
      this.buffer[this.position++] = (low & 0x7f) | 0x80
      low >>>= 7
    }
    this.buffer[this.position++] = low
  }

  /** Length as a varint, then the bytes. */
  bytes(value: Uint8Array): void {
    this.varint(value.length)
    this.raw(value)
  }

  /** The bytes alone: whoever reads them knows where they end. */
  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.buffer.set(value, this.position)
    this.position += value.length
  }

  /** Length in UTF-8 bytes as a varint, then the text. PERF: short ASCII is written without a native call. */
  text(value: string): void {
    if (value.length < 64 && this.shortAscii(value)) return
    const length = Buffer.byteLength(value, 'utf8')
    this.varint(length)
    this.reserve(length)
    this.position += this.buffer.write(value, this.position, length, 'utf8')
  }

  private shortAscii(value: string): boolean {
    this.reserve(65)
    let at = this.position
    this.buffer[at++] = value.length
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) return false
      this.buffer[at++] = code
    }
    this.position = at
    return true
  }

  private reserve(count: number): void {
    if (this.position + count <= this.buffer.length) return
    const held = this.position - this.start
    const larger = Buffer.allocUnsafeSlow(Math.max(this.slabBytes, (held + count) * 2))
    this.buffer.copy(larger, 0, this.start, this.position)
    this.buffer = larger
    this.start = 0
    this.position = held
  }
}

/**
 * Reads the primitives of packed frames. Every length is checked against the bytes that are there before anything is
 * allocated, so garbage costs no more memory than it brought. Throws `FrameError`, which the frame decoders turn into a
 * value.
 */
export class ByteReader {
  private source: Buffer = NO_BYTES
  private position = 0
  private readonly names = new NameTable()

  /** Starts over with these bytes. A reader is reused, because its table of names is what makes texts cheap. */
  reset(bytes: Uint8Array): void {
    this.source = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.position = 0
  }

  get done(): boolean {
    return this.position >= this.source.length
  }

  byte(): number {
    const value = this.source[this.position]
    if (value === undefined) throw new FrameError(`the frame ends at byte ${this.position}, where one more was due`)
    this.position += 1
    return value
  }

  /** An integer in [0, 2^53); longer than 8 bytes or larger is refused. */
  varint(): number {
    const first = this.byte()
    if (first < 0x80) return first
    let value = first & 0x7f
    let scale = 128
    for (let length = 2; length <= 8; length += 1) {
      const next = this.byte()
      value += (next & 0x7f) * scale
      if (next < 0x80) {
        if (value >= TWO_53) throw new FrameError('a number exceeds 2^53-1')
        if (next === 0) throw new FrameError('a number is longer than it needs to be')
        return value
      }
      scale *= 128
    }
    throw new FrameError('a number takes more than 8 bytes')
  }

  /** A view of the frame, valid as long as the frame is. */
  bytes(max: number): Buffer {
    const length = this.varint()
    if (length > max) throw new FrameError(`a field of ${length} bytes exceeds its limit of ${max}`)
    return this.raw(length)
  }

  raw(length: number): Buffer {
    this.need(length)
    const value = this.source.subarray(this.position, this.position + length)
    this.position += length
    return value
  }

  /** Everything that is left. */
  rest(): Buffer {
    return this.raw(this.source.length - this.position)
  }

  /** A text that rarely repeats. Bytes that are not UTF-8 are refused, because they would not encode back. */
  text(max: number): string {
    const from = this.position
    const bytes = this.bytes(max)
    const value = bytes.toString('utf8')
    if (value.includes('\ufffd') && !Buffer.from(value, 'utf8').equals(bytes)) {
      throw new FrameError(`the text at byte ${from} is not UTF-8`)
    }
    return value
  }

  /** A text of few different values, such as a machine's name: found in a table rather than decoded again. */
  name(max: number): string {
    const length = this.varint()
    if (length > max) throw new FrameError(`a name of ${length} bytes exceeds its limit of ${max}`)
    this.need(length)
    const from = this.position
    const known = this.names.find(this.source, from, length)
    if (known !== null) {
      this.position += length
      return known
    }
    const bytes = this.raw(length)
    const value = bytes.toString('utf8')
    if (value.includes('\ufffd') && !Buffer.from(value, 'utf8').equals(bytes)) {
      throw new FrameError(`the name at byte ${from} is not UTF-8`)
    }
    this.names.add(this.source, from, value, length)
    return value
  }

  private need(count: number): void {
    if (this.position + count > this.source.length) {
      throw new FrameError(`the frame ends ${this.position + count - this.source.length} bytes too early`)
    }
  }
}

const NAME_SLOTS = 256

/** A direct-mapped cache from ASCII bytes to their string: bounded, and a collision only costs a decode. */
class NameTable {
  private readonly slots: (string | undefined)[] = new Array(NAME_SLOTS)

  find(source: Buffer, from: number, length: number): string | null {
    const known = this.slots[slotOf(source, from, length)]
    if (known === undefined || known.length !== length) return null
    for (let index = 0; index < length; index += 1) {
      if (known.charCodeAt(index) !== source[from + index]) return null
    }
    return known
  }

  /** Remembers ASCII names only: there one char is one byte. */
  add(source: Buffer, from: number, value: string, length: number): void {
    if (value.length === length) this.slots[slotOf(source, from, length)] = value
  }
}

function slotOf(source: Buffer, from: number, length: number): number {
  let hash = length
  for (let index = 0; index < length; index += 1) hash = (Math.imul(hash, 31) + (source[from + index] ?? 0)) | 0
  return (hash ^ (hash >>> 8)) & (NAME_SLOTS - 1)
}
