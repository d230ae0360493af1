/** A name that stands for itself: `:append`. */
export class Keyword {
  /** Without the colon. */
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** What histories are written with: plain data, and keywords. Equal data has equal text (`ednOf`). */
export type HistoryValue =
  | null
  | boolean
  | number
  | string
  | Keyword
  | readonly HistoryValue[]
  | { readonly [name: string]: HistoryValue }

/** Whether it is an object with names, a map of EDN. */
export function isMap(value: HistoryValue | undefined): value is { readonly [name: string]: HistoryValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Keyword)
}

/** Whether it is a list. `Array.isArray` does not tell a type that is readonly. */
export function isList(value: HistoryValue | undefined): value is readonly HistoryValue[] {
  return Array.isArray(value)
}
