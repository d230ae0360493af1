/** A running 64-bit hash, mutated in place by `SessionCodec.walk` and the fold functions. Two uint32 halves. */
export interface RunningHash {
  high: number
  low: number
}

/**
 * A 64-bit hash for comparing what replicas computed and for telling requests apart. Not cryptographic: whoever wants
 * to collide it can, and then collides only with himself. Two 32-bit lanes, each word multiplied into one and the
 * result into the other (docs/format.md gives the steps); one word is a bijection of the 64-bit state, so two inputs
 * that differ in one word never collide, and the rest do like random numbers.
 */

/** Values of `stateHash` and of a request's hash start here. */
export function createRunningHash(): RunningHash {
  return { high: SEED_HIGH, low: SEED_LOW }
}

const SEED_HIGH = 0x6a09e667
const SEED_LOW = 0xbb67ae85

/** Folds one 32-bit word, of any sign. The one step that everything else is made of. */
export function foldWord(hash: RunningHash, word: number): void {
  let low = Math.imul(hash.low ^ word, 0x9e3779b1)
  low ^= low >>> 15
  let high = Math.imul(hash.high + low, 0x85ebca77)
  high ^= high >>> 13
  hash.high = high >>> 0
  hash.low = (low ^ high) >>> 0
}

const scratch = new DataView(new ArrayBuffer(8))

/** Folds any number by the 64 bits of its double, so that 1 and 1.0 are one thing. */
export function foldNumber(hash: RunningHash, value: number): void {
  scratch.setFloat64(0, value)
  foldWord(hash, scratch.getUint32(0))
  foldWord(hash, scratch.getUint32(4))
}

/**
 * Folds the length and the UTF-16 units, two to a word, so that lists of strings cannot run into each other. The lanes
 * are locals during the loop.
 *
 * PERF: 1 to 2 ns per unit. The lanes are made signed integers before each loop: taken as they come, the compiler keeps them
 * as any value, and the loop costs twice as much.
 */
export function foldString(hash: RunningHash, value: string): void {
  foldWord(hash, value.length)
  let high = hash.high | 0
  let low = hash.low | 0
  const even = value.length & ~1
  for (let index = 0; index < even; index += 2) {
    low = Math.imul(low ^ (value.charCodeAt(index) | (value.charCodeAt(index + 1) << 16)), 0x9e3779b1)
    low ^= low >>> 15
    high = Math.imul(high + low, 0x85ebca77)
    high ^= high >>> 13
    low ^= high
  }
  hash.high = high >>> 0
  hash.low = low >>> 0
  if (even !== value.length) foldWord(hash, value.charCodeAt(even))
}

/**
 * What `foldString(hash, prefix + value)` folds, without the text of both, which would be made for this alone.
 *
 * PERF: 2 ns per unit; joining two texts and reading the whole costs 50 to 100 ns more.
 */
export function foldJoined(hash: RunningHash, prefix: string, value: string): void {
  const start = prefix.length
  const length = start + value.length
  foldWord(hash, length)
  let high = hash.high | 0
  let low = hash.low | 0
  // Words that hold a unit of the prefix, then those of the value alone: one of the prefix's last may be shared.
  const shared = Math.min((start + 1) & ~1, length & ~1)
  const even = length & ~1
  for (let index = 0; index < even; index += 2) {
    const word =
      index < shared
        ? prefix.charCodeAt(index) |
          ((index + 1 < start ? prefix.charCodeAt(index + 1) : value.charCodeAt(index + 1 - start)) << 16)
        : value.charCodeAt(index - start) | (value.charCodeAt(index + 1 - start) << 16)
    low = Math.imul(low ^ word, 0x9e3779b1)
    low ^= low >>> 15
    high = Math.imul(high + low, 0x85ebca77)
    high ^= high >>> 13
    low ^= high
  }
  hash.high = high >>> 0
  hash.low = low >>> 0
  if (even === length) return
  foldWord(hash, even < start ? prefix.charCodeAt(even) : value.charCodeAt(even - start))
}

/** Folds the length and the bytes, four to a little-endian word. */
export function foldBytes(hash: RunningHash, bytes: Uint8Array): void {
  const length = bytes.length
  foldWord(hash, length)
  let high = hash.high | 0
  let low = hash.low | 0
  const whole = length & ~3
  for (let index = 0; index < whole; index += 4) {
    const near = (bytes[index] as number) | ((bytes[index + 1] as number) << 8)
    const word = near | ((bytes[index + 2] as number) << 16) | ((bytes[index + 3] as number) << 24)
    low = Math.imul(low ^ word, 0x9e3779b1)
    low ^= low >>> 15
    high = Math.imul(high + low, 0x85ebca77)
    high ^= high >>> 13
    low ^= high
  }
  hash.high = high >>> 0
  hash.low = low >>> 0
  if (whole !== length) foldWord(hash, lastWord(bytes, whole))
}

/** One to three bytes as a word. The length was folded, so that the zeros after them are not taken for bytes. */
function lastWord(bytes: Uint8Array, from: number): number {
  let word = 0
  for (let index = bytes.length - 1; index >= from; index -= 1) word = (word << 8) | (bytes[index] as number)
  return word
}

/** Spreads the last words over all 64 bits: two words of zero. A running hash needs no end. */
export function finishHash(hash: RunningHash): RunningHash {
  foldWord(hash, 0)
  foldWord(hash, 0)
  return hash
}

/** The hash of a byte string. */
export function hash64(bytes: Uint8Array): RunningHash {
  const hash = createRunningHash()
  foldBytes(hash, bytes)
  return finishHash(hash)
}

/**
 * The hash that tells an honest retry from another request under the same id (sessions.md §3): over the machine's and
 * command's names and the client's bytes as they arrived, before any parsing.
 */
export function requestHash(machine: string, command: string, bytes: Uint8Array): RunningHash {
  const hash = createRunningHash()
  foldString(hash, machine)
  foldString(hash, command)
  foldBytes(hash, bytes)
  return finishHash(hash)
}

/** 16 lowercase hex digits, high half first. */
export function hashText(hash: { readonly high: number; readonly low: number }): string {
  return hash.high.toString(16).padStart(8, '0') + hash.low.toString(16).padStart(8, '0')
}

/** The inverse of `hashText`, or null when the text is not 16 hex digits. */
export function parseHashText(text: string): RunningHash | null {
  if (!/^[0-9a-f]{16}$/.test(text)) return null
  return { high: Number.parseInt(text.slice(0, 8), 16), low: Number.parseInt(text.slice(8), 16) }
}
