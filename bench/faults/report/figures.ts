import type { Operation } from '../history.ts'
import type { Struck } from '../nemesis/nemesis.ts'

/** What clients noticed of one fault: rates and latencies before it, while it lasted and after it. */
export interface FaultFigures {
  readonly name: string
  /** Since the run began, ms. */
  readonly fromMs: number
  readonly toMs: number
  readonly before: Figures
  readonly during: Figures
  readonly after: Figures
  readonly gapMs: number | null
  readonly recoveredMs: number | null
  /** From the end of the fault until clients were served at 95 hundredths of the rate before; null: not within the quiet. */
  readonly rateBackMs: number | null
  /** From the start of what the fault had ended until clients were answered; null: the fault does not tell, or nobody was. */
  readonly firstAnswerMs: number | null
  readonly said: readonly string[]
  readonly load: number
}

export interface Figures {
  readonly perSecond: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly unknown: number
}

const NS_PER_MS = 1e6
/** What counts as before and after a fault. */
const AROUND_MS = 5_000
/** Over which a rate is taken. */
const WINDOW_MS = 1_000
const STEP_MS = 100
const BACK_SHARE = 0.95

export function figuresOf(struck: Struck, operations: readonly Operation[], beganNs: bigint): FaultFigures {
  const { name, gapMs, recoveredMs, said, load } = struck
  const fromMs = Number(struck.struckNs - beganNs) / NS_PER_MS
  const toMs = Number(struck.healedNs - beganNs) / NS_PER_MS
  const before = within(operations, fromMs - AROUND_MS, fromMs)
  return {
    ...{ name, fromMs: Math.round(fromMs), toMs: Math.round(toMs), before },
    during: within(operations, fromMs, toMs),
    after: within(operations, toMs + WINDOW_MS, toMs + AROUND_MS),
    ...{ gapMs, recoveredMs, rateBackMs: rateBack(operations, toMs, before.perSecond), said, load },
    firstAnswerMs: struck.startedNs === null ? null : firstAnswer(operations, Number(struck.startedNs - beganNs)),
  }
}

/** By nearest rank; null of nothing. */
export function quantile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((left, right) => left - right)
  const at = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  return at === undefined ? null : Math.round(at * 10) / 10
}

function within(operations: readonly Operation[], fromMs: number, toMs: number): Figures {
  const [from, to] = [fromMs * NS_PER_MS, toMs * NS_PER_MS]
  const done = operations.filter(({ type, completedNs }) => type === 'ok' && completedNs >= from && completedNs < to)
  const waits = done.map(({ invokedNs, completedNs }) => (completedNs - invokedNs) / NS_PER_MS)
  const seconds = Math.max(toMs - fromMs, 1) / 1000
  return {
    perSecond: Math.round(done.length / seconds),
    p50Ms: quantile(waits, 0.5),
    p99Ms: quantile(waits, 0.99),
    unknown: operations.filter(({ type, invokedNs }) => type === 'info' && invokedNs >= from && invokedNs < to).length,
  }
}

/** Of reads and writes that ended behind it: nobody answers them before there is a leader. */
function firstAnswer(operations: readonly Operation[], startedNs: number): number | null {
  const after = operations.flatMap(({ type, completedNs }) =>
    type === 'ok' && completedNs > startedNs ? [completedNs] : [],
  )
  const first = after.reduce((least, at) => Math.min(least, at), Number.POSITIVE_INFINITY)
  return Number.isFinite(first) ? Math.round((first - startedNs) / NS_PER_MS) : null
}

function rateBack(operations: readonly Operation[], fromMs: number, perSecond: number): number | null {
  const enough = perSecond * BACK_SHARE
  for (let ms = 0; ms <= AROUND_MS; ms += STEP_MS) {
    if (within(operations, fromMs + ms, fromMs + ms + WINDOW_MS).perSecond >= enough) return ms
  }
  return null
}
