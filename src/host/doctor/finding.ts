/** What one check has found. */
export interface Finding {
  /** What was looked at, in a word or two. */
  readonly check: string
  /** Of the error registry where something is wrong; null: it is well, or was not looked at. */
  readonly code: string | null
  /** What was seen, with its numbers. */
  readonly sentence: string
  /** The exact next command; null: there is nothing to do. */
  readonly next: string | null
}

/** Nothing is wrong with it. */
export function well(check: string, sentence: string): Finding {
  return { check, code: null, sentence, next: null }
}

/** Something is. */
export function wrong(check: string, { code, message }: { code: string; message: string }, next: string): Finding {
  return { check, code, sentence: message, next }
}
