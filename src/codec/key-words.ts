/**
 * The encodings of keys that were written before: header and text as 32-bit words, to be stored four bytes at a time.
 * Rows of one kind have the same keys in the same order, so each key remembers the one that followed it last time, and
 * most keys are found by one comparison of two references. Bounded; only a cache.
 *
 * PERF: a key of ten letters costs 30 ns letter by letter, about 8 when it is the one that was foreseen.
 */
export interface KnownKey {
  readonly text: string
  /** Header and text, little-endian, filled up with zeros to whole words. */
  readonly words: Int32Array
  /** Bytes of header and text. */
  readonly size: number
  /** The key that was written after this one the last time. */
  next: KnownKey
}

/** Shorter keys are written by a loop sooner than they are found. */
export const KEY_UNITS_MIN = 3
/** The longest key with a header of one byte. */
export const KEY_UNITS_MAX = 31

const KEYS_MAX = 2048
const keys = new Map<string, KnownKey>()

/** What stands before the first key of an encoding. It has the one name that no object of a value has. */
export const firstKey: KnownKey = startOfKeys()

/** The key of KEY_UNITS_MIN to KEY_UNITS_MAX units, or null when it is not ASCII. */
export function knownKey(text: string): KnownKey | null {
  return keys.get(text) ?? remember(text)
}

function remember(text: string): KnownKey | null {
  const size = text.length + 1
  const bytes = new Uint8Array((size + 3) & ~3)
  bytes[0] = 0xa0 | text.length
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return null
    bytes[index + 1] = unit
  }
  const view = new DataView(bytes.buffer)
  const words = Int32Array.from({ length: bytes.length / 4 }, (_, index) => view.getInt32(4 * index, true))
  if (keys.size >= KEYS_MAX) forget()
  const known = { text, words, size, next: firstKey }
  keys.set(text, known)
  return known
}

/** Keys that clients make up as they go would fill the table for ever; starting over costs each key one miss. */
function forget(): void {
  keys.clear()
  firstKey.next = firstKey
}

function startOfKeys(): KnownKey {
  const start: Omit<KnownKey, 'next'> & { next: KnownKey | null } = {
    text: '__proto__',
    words: new Int32Array(0),
    size: 0,
    next: null,
  }
  start.next = start as KnownKey
  return start as KnownKey
}
