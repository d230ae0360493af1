import type { Millis } from '../../base/brand.ts'
import type { TransferOutcome } from '../../raft/types.ts'
import type { RaftNode } from '../api.ts'
import type { Clock } from '../ports/clock.ts'
import { whenLed } from './when-led.ts'

/** What a hand-over goes by. */
export interface HandOverParts {
  readonly clock: Clock
  /** A minimum election timeout: how long one transfer may take, and how long it is waited to hear who leads. */
  readonly withinMs: Millis
  /** A transfer that did not come about is asked for again so much later. */
  readonly againMs: Millis
  /** Whether a connection to any other voter is open. */
  reachable(): boolean
}

/** Transfers are asked for again for so many of the times that one may take. */
const TIMES_MAX = 3
/** Nobody was heard lately, or the target was not elected in time: a busy machine, and perhaps no more. */
const PASSING: ReadonlySet<TransferOutcome> = new Set(['noTarget', 'timedOut'])

/**
 * A leader that is to close hands over first (raft.md §4): what was proposed is answered, and its clients are told of the next
 * leader while it still serves them; it waits for `withinMs` to hear who that is. Where nobody takes over it asks again while
 * another voter can be reached, and then closes all the same. Resolves at once on any other node.
 */
export function handOver(node: RaftNode, parts: HandOverParts): Promise<void> {
  const { clock, withinMs, againMs } = parts
  const until = clock.monotonicMs() + TIMES_MAX * withinMs
  return new Promise((resolve) => {
    const ask = (): void =>
      node.transferLeadership(null, (outcome) => {
        if (outcome === 'handedOver') whenLed(node, parts, () => resolve())
        else if (PASSING.has(outcome) && parts.reachable() && clock.monotonicMs() < until) clock.setTimer(againMs, ask)
        else resolve()
      })
    ask()
  })
}
