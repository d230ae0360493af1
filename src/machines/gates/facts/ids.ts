/**
 * Ids of gates: a kind and a number. Tables have the number in their keys and not the id, because `evt-10` comes before
 * `evt-9` as text, and the order of keys is what "latest" means.
 */

/**
 * Kinds of things that have an id here: events, boundaries, needs, common ground, strategies, agreements, requests, consents.
 */
export type IdKind = 'evt' | 'bnd' | 'need' | 'cg' | 'str' | 'agr' | 'ask' | 'con'

/** `evt`, 9 → `evt-9` */
export const idOf = (kind: IdKind, number: number): string => `${kind}-${number}`

/** `evt-9` → 9; 0, which nothing has, for whatever is no id of that kind. */
export function numberIn(kind: IdKind, id: string): number {
  const digits = id.startsWith(`${kind}-`) ? id.slice(kind.length + 1) : ''
  return /^[1-9][0-9]{0,14}$/.test(digits) ? Number(digits) : 0
}

/** The order of two ids of one kind, by their numbers: negative when the first comes first. */
export const compareIds = (one: string, other: string): number =>
  one.length - other.length || (one < other ? -1 : Number(one > other))
