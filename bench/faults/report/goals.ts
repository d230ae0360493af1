import { type FaultFigures, quantile } from './figures.ts'

/** What is asked of one event (faults.md §5.1), and what was seen. */
export interface GoalResult {
  readonly event: string
  readonly trials: number
  /** Of what `figure` says: by nearest rank. */
  readonly figure: string
  readonly p50: number | null
  readonly p99: number | null
  readonly max: number | null
  /** The bound that must hold, and whether it does; null where nothing was measured. */
  readonly must: string
  readonly met: boolean | null
  readonly moonshot: string
  readonly moonshotMet: boolean | null
}

interface Goal {
  readonly event: string
  /** Null: all. */
  readonly faults: readonly string[] | null
  readonly figure: string
  of(figures: Omit<FaultFigures, 'name'>): number | null
  readonly must: Bounds
  readonly moonshot: Bounds
}

/** At most so much, ms or times. */
type Bounds = { readonly [of in 'p50' | 'p99' | 'max']?: number }

/** How often a fault is made of which quantiles are asked. */
export const MEASURED_TRIALS = 50

const gap = { figure: 'gap, ms', of: ({ gapMs }: { readonly gapMs: number | null }) => gapMs }
/** Twice the longest election timeout. */
const DETECTED = { ...gap, must: { p99: 1200 }, moonshot: { p99: 300 } }
const HANDED_OVER = { ...gap, must: { p99: 50 }, moonshot: { p99: 10 } }

const GOALS: readonly Goal[] = [
  {
    ...{ event: 'the leader is killed', faults: ['kill-leader'], ...gap },
    ...{ must: { p50: 60, p99: 250 }, moonshot: { p50: 20, p99: 60 } },
  },
  { event: 'the leader hands over', faults: ['transfer-leader'], ...HANDED_OVER },
  { event: 'the leader is asked to end', faults: ['stop-leader'], ...HANDED_OVER },
  { event: 'the leader is stopped', faults: ['pause-leader'], ...DETECTED },
  { event: 'the leader is cut off', faults: ['cut-leader'], ...DETECTED },
  { event: 'the leader hears nothing', faults: ['deaf-leader'], ...DETECTED },
  { event: "the leader's disk stalls", faults: ['disk-stall'], ...DETECTED },
  {
    ...{ event: 'a follower is lost', faults: ['kill-follower'], figure: 'p99 during it over p99 before, times' },
    of: ({ before, during }) => (before.p99Ms === null || during.p99Ms === null ? null : during.p99Ms / before.p99Ms),
    ...{ must: { p50: 1.5 }, moonshot: { p50: 1.1 } },
  },
  {
    ...{ event: 'all nodes lose their power', faults: ['power-loss-all', 'rot-and-power-loss'] },
    ...{ figure: 'first answer after their start, ms', of: ({ firstAnswerMs }) => firstAnswerMs },
    ...{ must: { max: 3000 }, moonshot: { max: 1000 } },
  },
  {
    ...{ event: 'any fault is over', faults: null, figure: '95 hundredths of the rate again, ms' },
    of: ({ rateBackMs }) => rateBackMs,
    ...{ must: { max: 5000 }, moonshot: { max: 1000 } },
  },
]

/** Faults of which a quantile is asked that takes many trials to tell. */
export const MEASURED_FAULTS: ReadonlySet<string> = new Set(
  GOALS.flatMap(({ faults, figure }) => (figure === gap.figure ? (faults ?? []) : [])),
)

/** Each goal of which something was measured. */
export function goalsOf(faults: { readonly [name: string]: readonly Omit<FaultFigures, 'name'>[] }): GoalResult[] {
  return GOALS.flatMap(({ event, faults: names, figure, of, must, moonshot }) => {
    const trials = Object.entries(faults).flatMap(([name, all]) => ((names?.includes(name) ?? true) ? all : []))
    if (trials.length === 0) return []
    const values = trials.flatMap((one) => of(one) ?? [])
    const seen = { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) }
    const [met, moonshotMet] = [within(seen, must), within(seen, moonshot)]
    const told = { event, trials: values.length, figure, ...seen }
    return [{ ...told, must: wordsOf(must), met, moonshot: wordsOf(moonshot), moonshotMet }]
  })
}

function within(seen: { readonly [of in keyof Bounds]-?: number | null }, bounds: Bounds): boolean | null {
  if (seen.max === null) return null
  return KINDS.every((kind) => (seen[kind] ?? 0) <= (bounds[kind] ?? Number.POSITIVE_INFINITY))
}

function wordsOf(bounds: Bounds): string {
  return KINDS.flatMap((kind) => (bounds[kind] === undefined ? [] : [`${kind} ≤ ${bounds[kind]}`])).join(', ')
}

const KINDS = ['p50', 'p99', 'max'] as const
