import { askLeader } from './ask-leader.ts'

/** Where a voter has stopped: the engine failed there. */
export interface StoppedVoter {
  readonly id: string
  /** The entry; 0: it has not stopped, as far as the leader knows. */
  readonly index: number
  /** `command`, `entry`, or a timer or hook with its number; '': it has not stopped. */
  readonly part: string
}

/** All voters, and why nothing can be skipped now, a code of the error registry; '': it can. */
export interface Stops {
  readonly voters: readonly StoppedVoter[]
  readonly refusal: string
}

/** Where the engine has stopped voters; the leader answers, although it has halted. Rejects with OperatorError. */
export async function fetchStops(endpoints: readonly string[]): Promise<Stops> {
  const { voters, refusal } = (await askLeader(endpoints, { method: 'Stops', request: {} })) as Stops
  return { voters, refusal }
}

/**
 * Has the part skipped at which every voter has stopped; resolves with the index of the entry that says so, once it is applied.
 * Rejects with OperatorError: NOT_STOPPED, STOPPED_ELSEWHERE, NOT_YET_SUPPORTED, or ALREADY_SKIPPED where an answer was lost.
 */
export async function skipPart(endpoints: readonly string[], index: number, part: string): Promise<number> {
  const request = { index, part }
  return ((await askLeader(endpoints, { method: 'SkipPart', request })) as { readonly index: number }).index
}
