import { didYouMean } from '../base/suggest.ts'
import { DEFAULT_LIMITS } from '../codec/entry/default-limits.ts'
import { encodePayload } from '../codec/entry/payload-codec.ts'
import { ValueError } from '../codec/value/value-error.ts'

/** What is wrong with one limit; `problem` is read behind its name. */
export interface LimitProblem {
  readonly name: string
  readonly problem: string
}

/** Of waits nothing is said by default (`WAIT_LIMITS`). */
const NAMES: readonly string[] = [...Object.keys(DEFAULT_LIMITS), 'waits']

/**
 * Everything that is wrong with limits that differ from the defaults, each checked as the entry that will hold it would: a
 * node must not find out when it first leads.
 */
export function limitProblems(limits: object): LimitProblem[] {
  return Object.entries(limits).flatMap(([name, value]: [string, unknown]) => {
    if (!NAMES.includes(name)) return [{ name, problem: unknownName(name, NAMES) }]
    try {
      encodePayload('Limits', { ...DEFAULT_LIMITS, [name]: value })
      return []
    } catch (error) {
      if (error instanceof ValueError) return [{ name, problem: `cannot be used: ${error.message}` }]
      throw error
    }
  })
}

/** `is unknown; did you mean machines?` */
export function unknownName(name: string, known: readonly string[]): string {
  const meant = didYouMean(name, known)
  return `is unknown${meant === null ? '' : `; did you mean ${meant}?`}`
}
