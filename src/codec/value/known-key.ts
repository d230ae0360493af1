/**
 * The encodings of keys that were written before: header and text as 32-bit words, to be stored four bytes at a time.
 * Rows of one kind have the same keys in the same order, so each key remembers the one that followed it last time, and
 * most keys are found by one comparison of two references. Bounded; only a cache.
 *
 * The decoder foresees keys by the same table.
 *
 * PERF: a key of ten letters costs 30 ns letter by letter, about 8 when it is the one that was foreseen.
 */
export interface KnownKey {
  readonly text: string
  /** Header and text. */
  readonly bytes: Uint8Array
  /** The same, little-endian, filled up with zeros to whole words. */
  readonly words: Int32Array
  /** The key that was written or read after this one the last time. */
  next: KnownKey
}

/** Shorter keys are written by a loop sooner than they are found. */
export const KEY_UNITS_MIN = 3
/** The longest key with a header of one byte. */
export const KEY_UNITS_MAX = 31

const KEYS_MAX = 2048
const keys = new Map<string, KnownKey>()

/**
 * Keys that were met and are not in the table, by a part of their letters: a key enters it when it is met again before
 * another of its slot, so that ids used as keys, each of them met once, cost no more than a look.
 */
const CANDIDATES = 1024
const candidates: string[] = new Array<string>(CANDIDATES).fill('')

/**
 * What stands before the first key of a value. It has the one name that no object of a value has, and bytes that none
 * starts with.
 */
export const firstKey: KnownKey = startOfKeys()

/** The key of KEY_UNITS_MIN to KEY_UNITS_MAX units; null when it is not ASCII or was not met lately. */
export function knownKey(text: string): KnownKey | null {
  const known = keys.get(text)
  if (known !== undefined) return known
  const slot = candidateSlot(text)
  if (candidates[slot] === text) return remember(text)
  candidates[slot] = text
  return null
}

function candidateSlot(text: string): number {
  const { length } = text
  const ends = text.charCodeAt(0) + 31 * text.charCodeAt(length - 1)
  return (ends + 961 * text.charCodeAt(length >> 1) + 7 * length) & (CANDIDATES - 1)
}

function remember(text: string): KnownKey | null {
  const bytes = new Uint8Array(text.length + 1)
  bytes[0] = 0xa0 | text.length
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit > 0x7f) return null
    bytes[index + 1] = unit
  }
  if (keys.size >= KEYS_MAX) forget()
  const known = { text, bytes, words: wordsOf(bytes), next: firstKey }
  keys.set(text, known)
  return known
}

function wordsOf(bytes: Uint8Array): Int32Array {
  const padded = new Uint8Array((bytes.length + 3) & ~3)
  padded.set(bytes)
  const view = new DataView(padded.buffer)
  return Int32Array.from({ length: padded.length / 4 }, (_, index) => view.getInt32(4 * index, true))
}

/** Keys that clients make up as they go would fill the table for ever; starting over costs each key one miss. */
function forget(): void {
  keys.clear()
  firstKey.next = firstKey
}

function startOfKeys(): KnownKey {
  const text = '__proto__'
  // 0xc1 stands for nothing in msgpack.
  const start: Omit<KnownKey, 'next'> & { next: KnownKey | null } = {
    text,
    bytes: Uint8Array.of(0xc1),
    words: new Int32Array(0),
    next: null,
  }
  start.next = start as KnownKey
  return start as KnownKey
}
