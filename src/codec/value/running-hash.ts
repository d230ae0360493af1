/**
 * A 64-bit hash for comparing what replicas computed and for telling requests apart: two lanes, each a uint32, mutated in
 * place by `SessionCodec.walk` and the fold functions. Not cryptographic: whoever wants to collide it can, and then
 * collides only with himself. Each 32-bit word is multiplied into one lane and the result into the other (docs/format.md
 * gives the steps); one word is a bijection of the 64-bit state, so two inputs that differ in one word never collide, and
 * the rest do like random numbers.
 */
export interface RunningHash {
  high: number
  low: number
}

/** A hash that nothing was folded into: where a request's hash starts. (The state's starts at 0, 0.) */
export function createRunningHash(): RunningHash {
  return { high: SEED_HIGH, low: SEED_LOW }
}

const SEED_HIGH = 0x6a09e667
const SEED_LOW = 0xbb67ae85

/** Folds one 32-bit word, of any sign: the one step that everything else is made of. */
export function foldWord(hash: RunningHash, word: number): void {
  const low = mixLow(hash.low, word)
  const high = mixHigh(hash.high, low)
  hash.high = high >>> 0
  hash.low = (low ^ high) >>> 0
}

/**
 * First half of the step: the lane `low` after a word. A step is `low = mixLow(low, word)`, `high = mixHigh(high, low)`,
 * `low ^= high`. Loops over many words keep the lanes in locals, where a function of both would have to return an object.
 * Takes and returns signed or unsigned 32 bits.
 *
 * PERF: inlined wherever it is hot: written out in the loops they were no faster (2 ns a word, bound by the two products).
 */
export function mixLow(low: number, word: number): number {
  const mixed = Math.imul(low ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

/** Second half of the step: the lane `high` after the new `low`. */
export function mixHigh(high: number, low: number): number {
  const mixed = Math.imul(high + low, 0x85ebca77)
  return mixed ^ (mixed >>> 13)
}

const scratch = new DataView(new ArrayBuffer(8))

/** Folds any number by the 64 bits of its double, the upper 32 first, so that 1 and 1.0 are one thing. */
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
    low = mixLow(low, value.charCodeAt(index) | (value.charCodeAt(index + 1) << 16))
    high = mixHigh(high, low)
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
    low = mixLow(low, word)
    high = mixHigh(high, low)
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
    low = mixLow(low, word)
    high = mixHigh(high, low)
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
