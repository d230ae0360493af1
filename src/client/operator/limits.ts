import type { Limits, WaitLimits } from '../../codec/entry/payload.ts'
import { askLeader, OperatorError } from './ask-leader.ts'
import type { AnsweredBy } from './sessions.ts'

/** Every limit by its name, those of waits among them. */
export type NamedLimits = Readonly<Omit<Limits, 'waits'> & WaitLimits>

/** The replicated limits, as the leader has applied them. */
export interface LimitsInForce {
  readonly by: AnsweredBy
  /** Of the entry that changed them last; 0: they are those that the cluster began with. */
  readonly index: number
  readonly limits: NamedLimits
  /** Those that a new cluster of the leader's build begins with. */
  readonly initial: NamedLimits
}

/** Some limits, by name. */
export type LimitChanges = { readonly [name: string]: number }

/** All limits. Rejects with OperatorError. */
export async function fetchLimits(endpoints: readonly string[]): Promise<LimitsInForce> {
  const found = (await askLeader(endpoints, { method: 'Limits', request: {} })) as LimitsFound
  const { by, index, limits } = found
  // The leader names all of its own; one of a later release may have more.
  const all = (pairs: readonly (readonly [string, number])[]): NamedLimits =>
    Object.fromEntries(pairs) as unknown as NamedLimits
  return {
    by,
    index,
    limits: all(limits.map(({ name, value }) => [name, value])),
    initial: all(limits.map(({ name, initial }) => [name, initial])),
  }
}

/**
 * Changes limits on every replica, if they are still those of `basedOn`; resolves with the index of the entry, once the leader
 * has applied it. Safe to repeat: where the leader that took the change is gone with its answer, the next one is asked whether
 * it was made. Rejects with OperatorError: LIMITS_CHANGED, LIMIT_REFUSED with `name` and `problem`.
 */
export async function changeLimits(
  endpoints: readonly string[],
  { changes, basedOn }: { readonly changes: LimitChanges; readonly basedOn: number },
): Promise<number> {
  const request = { changes: Object.entries(changes).map(([name, value]) => ({ name, value })), basedOn }
  try {
    const answer = (await askLeader(endpoints, { method: 'ChangeLimits', request })) as { readonly index: number }
    return answer.index
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'LIMITS_CHANGED') throw error
    const { index, limits } = await fetchLimits(endpoints)
    const inForce = new Map<string, number>(Object.entries(limits))
    if (Object.entries(changes).every(([name, value]) => inForce.get(name) === value)) return index
    throw error
  }
}

interface LimitsFound {
  readonly by: AnsweredBy
  readonly index: number
  readonly limits: readonly { readonly name: string; readonly value: number; readonly initial: number }[]
}
