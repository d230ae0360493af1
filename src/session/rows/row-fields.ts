/**
 * What a machine says beside its values (names, keys, codes, numbers of tries) stands in rows as well, and a row must always be
 * storable: it is encoded long after the entry that wrote it, when nobody could refuse it any more.
 */

/** A text that UTF-8 can hold: no lone surrogate (half of an emoji that was cut in two, say). */
export function isText(text: unknown): text is string {
  return typeof text === 'string' && !LONE_SURROGATE.test(text)
}

const LONE_SURROGATE = /\p{Surrogate}/u

/** An integer that every reader holds exactly, −0 not among them. */
export function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}
