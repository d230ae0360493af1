import { decodeValue } from '../../src/codec/value/decode.ts'
import { checkDurability } from '../../src/history/properties/durability.ts'
import { encodeValue } from '../../src/client/index.ts'
import type { RawQueryOutcome } from '../../src/client/calls/query-board.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { JournalLane } from './journal-lane.ts'
import { PAGE } from './journal-module.ts'

const QUERY_MS_MAX = 60_000
/** What is told of a kind of mistake, at most. */
const EXAMPLES_MAX = 5

/** What is judged of a session; `outcomes` are of its commands 1, 2, 3, …, null while under way. */
export type JudgedLane = Pick<JournalLane, 'lane' | 'outcomes' | 'noted' | 'disorder'>

/** What sessions were told, held against what the machine has; each count is of commands or server requests. */
export interface Judgement {
  /** Answered `ok`, and not there. */
  lost: number
  /** Applied more than once. */
  duplicated: number
  /** There, although it was refused, never executed, or never asked for. */
  phantom: number
  /** Server requests that were skipped, came twice, in another order, or tell of something that is not there. */
  gaps: number
  readonly examples: string[]
}

/** What became of the commands, by kind. */
export interface OutcomeCounts {
  ok: number
  rejected: number
  notExecuted: number
  unknown: number
}

/** Numbers of a lane that were applied, and how often, as the leader knows it. */
export async function appliedOf(hub: MultiSession, lane: number): Promise<ReadonlyMap<number, number>> {
  const applied = new Map<number, number>()
  for (let from = 0; ; ) {
    const page = await pageOf(hub, { lane, from })
    for (const { number, times } of page) applied.set(number, times)
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return applied
    from = last.number + 1
  }
}

export function countOutcomes(lanes: readonly JournalLane[]): OutcomeCounts {
  const counts: OutcomeCounts = { ok: 0, rejected: 0, notExecuted: 0, unknown: 0 }
  for (const { outcomes } of lanes) for (const kind of outcomes) if (kind !== null) counts[kind] += 1
  return counts
}

export function judge(
  lanes: readonly { readonly lane: JudgedLane; readonly applied: ReadonlyMap<number, number> }[],
): Judgement {
  const judgement: Judgement = { lost: 0, duplicated: 0, phantom: 0, gaps: 0, examples: [] }
  for (const { lane, applied } of lanes) {
    judgeCommands(judgement, lane, applied)
    judgeRequests(judgement, lane, applied)
  }
  return judgement
}

function judgeCommands(
  judgement: Judgement,
  { lane, outcomes }: JudgedLane,
  applied: ReadonlyMap<number, number>,
): void {
  const requests = outcomes.map((kind, at) => ({ request: String(at + 1), outcome: TOLD[kind ?? 'unknown'] }))
  const verdict = checkDurability(requests, new Map([...applied].map(([number, times]) => [String(number), times])))
  if (verdict.kind !== 'violated') return
  for (const { name, text } of verdict.anomalies) {
    judgement[name as 'lost' | 'duplicated' | 'phantom'] += 1
    told(judgement, `${name}: lane ${lane}, number ${text}`)
  }
}

/** What each outcome says of the effect. */
const TOLD = { ok: 'ok', rejected: 'failed', notExecuted: 'failed', unknown: 'unknown' } as const

function judgeRequests(
  judgement: Judgement,
  { lane, noted, disorder }: JudgedLane,
  applied: ReadonlyMap<number, number>,
): void {
  judgement.gaps += disorder.length
  for (const line of disorder) told(judgement, line)
  const seen = new Set(noted)
  const missing = [...applied.keys()].filter((number) => !seen.has(number))
  const untrue = [...seen].filter((number) => !applied.has(number))
  const repeated = noted.length - seen.size
  const count = missing.length + untrue.length + repeated
  judgement.gaps += count
  if (count > 0)
    told(
      judgement,
      `lane ${lane}: ${missing.length} never noted, ${untrue.length} noted and not there, ${repeated} twice`,
    )
}

function told({ examples }: Judgement, line: string): void {
  if (examples.length < EXAMPLES_MAX) examples.push(line)
}

async function pageOf(
  hub: MultiSession,
  input: { readonly lane: number; readonly from: number },
): Promise<readonly { readonly number: number; readonly times: number }[]> {
  const request = {
    consistency: 'linearizable',
    incarnation: 0,
    minIndex: 0,
    machine: 'journal',
    query: 'applied',
  } as const
  const outcome = await new Promise<RawQueryOutcome>((resolve) =>
    hub.query({ ...request, input: encodeValue(input) }, QUERY_MS_MAX, resolve),
  )
  if (outcome.kind !== 'ok') throw new Error(`what lane ${input.lane} holds could not be read: ${outcome.code}`)
  return decodeValue(outcome.value) as readonly { readonly number: number; readonly times: number }[]
}
