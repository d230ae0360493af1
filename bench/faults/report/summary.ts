import { isClean, type Verdict } from '../verdict/judge-history.ts'
import type { Chart } from './chart.ts'
import type { FaultFigures } from './figures.ts'
import { type GoalResult, goalsOf } from './goals.ts'

/** The result of one cell, as it is kept: a run that is started again at the same commit does not repeat it. */
export interface StoredCell {
  /** `all`: every fault in one cluster; else the fault that it has alone. */
  readonly name: string
  readonly verdict: Verdict
  readonly unserved: boolean
  readonly faults: readonly FaultFigures[]
  readonly late: readonly string[]
  readonly crashes: readonly string[]
  readonly lostSessions: readonly string[]
  readonly unhandledRejections: number
  readonly diverged: boolean
  readonly unrecovered: readonly string[]
  /** Lines of steps of consensus that were held against the specification; 0 of a product that writes none. */
  readonly steps: number
  readonly counts: { readonly ok: number; readonly fail: number; readonly info: number }
  /** Workloads of which nothing was answered, which shows nothing of them. */
  readonly idle: readonly string[]
  /** Sessions that were opened, and callbacks of payments that were answered. */
  readonly sessions: number
  readonly callbacks: number
  /** The highest term that was seen. */
  readonly elections: number
  /** Of the newest snapshot that was seen. */
  readonly snapshotIndex: number
  readonly probe: { readonly acknowledged: number; readonly failed: number }
  readonly chart: Chart
}

/** The whole run in one object: the last line of `--json`, and `summary.json`. */
export interface Summary {
  readonly ok: boolean
  readonly anomalies: number
  /** Histories that could not be decided: those of clusters that did not serve at the end, and those that a checker gave up. */
  readonly unknown: number
  readonly lost: number
  readonly verdict: Omit<Verdict, 'examples'>
  readonly crashes: readonly string[]
  readonly lostSessions: readonly string[]
  readonly unhandledRejections: number
  readonly diverged: boolean
  readonly unrecovered: readonly string[]
  readonly steps: number
  readonly counts: StoredCell['counts']
  readonly idle: readonly string[]
  readonly sessions: number
  readonly callbacks: number
  readonly elections: number
  readonly snapshots: boolean
  readonly probe: StoredCell['probe']
  readonly seed: number
  readonly commit: string
  readonly seconds: number
  /** By name, a trial each. */
  readonly faults: { readonly [name: string]: readonly Omit<FaultFigures, 'name'>[] }
  readonly goals: readonly GoalResult[]
  readonly skipped: { readonly [name: string]: string }
  readonly examples: readonly string[]
}

const ANOMALIES = [
  'lost',
  'duplicated',
  'phantom',
  'disordered',
  'wrongReply',
  'unbalanced',
  'violated',
  'refused',
] as const

export function summaryOf(
  cells: readonly StoredCell[],
  run: Pick<Summary, 'seed' | 'commit' | 'seconds' | 'skipped'>,
): Summary {
  const sum = (of: (cell: StoredCell) => number): number => cells.reduce((total, cell) => total + of(cell), 0)
  const verdict = Object.fromEntries(ANOMALIES.map((name) => [name, sum((cell) => cell.verdict[name])]))
  const undecided = sum((cell) => cell.verdict.undecided)
  const counted = { ...verdict, undecided } as unknown as Summary['verdict'] // Its names are those of the list.
  const diverged = cells.some((cell) => cell.diverged)
  const faults = byName(cells.flatMap((cell) => cell.faults))
  const late = cells.flatMap((cell) => cell.late.map((name) => [name, 'no time, or no cluster, was left'] as const))
  const [unknown, unhandledRejections] = [
    sum(({ unserved }) => Number(unserved)) + undecided,
    sum((cell) => cell.unhandledRejections),
  ]
  const wrong = cells.flatMap(({ crashes, lostSessions, unrecovered, idle }) => [
    ...[...crashes, ...lostSessions, ...unrecovered, ...idle],
  ])
  const clean = cells.every((cell) => isClean(cell.verdict))
  return {
    // A run in which nobody was told anything shows nothing.
    ok:
      cells.some(({ counts }) => counts.ok > 0) &&
      clean &&
      !diverged &&
      wrong.length + unknown + unhandledRejections === 0,
    anomalies: ANOMALIES.reduce((total, name) => total + counted[name], 0) + Number(diverged),
    unknown,
    lost: counted.lost,
    verdict: counted,
    crashes: cells.flatMap(({ crashes }) => crashes),
    lostSessions: cells.flatMap(({ lostSessions }) => lostSessions),
    unhandledRejections,
    diverged,
    unrecovered: cells.flatMap(({ unrecovered }) => unrecovered),
    steps: sum(({ steps }) => steps),
    counts: {
      ok: sum(({ counts }) => counts.ok),
      fail: sum(({ counts }) => counts.fail),
      info: sum(({ counts }) => counts.info),
    },
    idle: [...new Set(cells.flatMap(({ idle }) => idle))],
    sessions: sum(({ sessions }) => sessions),
    callbacks: sum(({ callbacks }) => callbacks),
    elections: sum(({ elections }) => elections),
    snapshots: cells.some(({ snapshotIndex }) => snapshotIndex > 0),
    probe: { acknowledged: sum(({ probe }) => probe.acknowledged), failed: sum(({ probe }) => probe.failed) },
    ...run,
    faults,
    goals: goalsOf(faults),
    skipped: { ...run.skipped, ...Object.fromEntries(late) },
    examples: cells.flatMap((cell) => cell.verdict.examples),
  }
}

function byName(all: readonly FaultFigures[]): Summary['faults'] {
  const faults: { [name: string]: Omit<FaultFigures, 'name'>[] } = {}
  for (const { name, ...figures } of all) faults[name] = [...(faults[name] ?? []), figures]
  return faults
}
