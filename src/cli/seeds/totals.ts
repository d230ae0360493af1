import type { BoardCounts, BoardSeedResult } from '../../sim/board/run-board-seed.ts'
import type { ChartsSeedResult } from '../../sim/charts/run-charts-seed.ts'
import type { SeedResult } from '../../sim/run-seed.ts'
import type { SchedulesSeedResult } from '../../sim/schedules/run-schedules-seed.ts'
import type { WaitsSeedResult } from '../../sim/waits/run-waits-seed.ts'
import type { WaitCounts } from '../../sim/waits/wait-model.ts'
import type { WorkloadCounts, WorkloadSeedResult } from '../../testing/index.ts'
import { withCommas } from '../terminal/output.ts'
import type { Workload } from './workloads.ts'

/** What `--json` prints; the names are fixed for whoever reads it. */
export interface SimTotals {
  seeds: number
  failures: number
  events: number
  simSeconds: number
  wallSeconds: number
  acks: number
  elections: number
  snapshots: number
  installs: number
  failedSeeds: FailedSeed[]
  /** Seeds that ran again in another process. */
  twice: number
  /** Of one seed alone. */
  hash?: string
  /** With `--shrink`: few faults that suffice for the seed to fail; 0 seconds: all the time. */
  faults?: readonly { readonly seconds: number; readonly what: string }[]
  /** With `--minutes` alone: where the next run may go on. */
  nextSeed?: number
  /** Of the workload charts alone. */
  charts?: ChartTotals
  /** Of the workload waits alone. */
  waits?: WaitCounts
  /** Of the workload board alone. */
  board?: BoardCounts
  /** Of histories, and of workloads of the user's. */
  workload?: WorkloadCounts
  /** What happened too little for the run to count. */
  lacking?: readonly string[]
  /** Of the workload schedules alone. */
  schedules?: SchedulesSeedResult['schedules']
}

/** A seed that broke an invariant: numbers are the same in all workloads. */
export interface FailedSeed {
  readonly workload: Workload
  readonly seed: number
}

/** What became of the timers of charts, and how often a leader died at a boundary of an effect. */
interface ChartTotals {
  timersArmed: number
  timersFired: number
  timersCancelled: number
  lost: number
  doubled: number
  kills: number
}

/** Before the first seed. */
export function emptyTotals(): SimTotals {
  const counts = {
    seeds: 0,
    failures: 0,
    events: 0,
    simSeconds: 0,
    wallSeconds: 0,
    acks: 0,
    elections: 0,
    snapshots: 0,
    installs: 0,
    twice: 0,
  }
  return { ...counts, failedSeeds: [] }
}

/** Adds what one seed did. */
export function addSeed(totals: SimTotals, result: SeedResult, workload: Workload): void {
  totals.seeds += 1
  totals.events += result.events
  totals.simSeconds += result.simSeconds
  totals.acks += result.acks
  totals.elections += result.elections
  totals.snapshots += result.snapshots
  totals.installs += result.installs
  if ('waits' in result) totals.waits = sumOf(totals.waits, (result as WaitsSeedResult).waits)
  if ('board' in result) totals.board = sumOf(totals.board, (result as BoardSeedResult).board)
  if ('schedules' in result) totals.schedules = sumOf(totals.schedules, (result as SchedulesSeedResult).schedules)
  if ('workload' in result) totals.workload = sumOf(totals.workload, (result as WorkloadSeedResult).workload)
  if ('charts' in result) addCharts(totals, result as ChartsSeedResult)
  if (result.failure !== null) addFailure(totals, { workload, seed: result.seed })
}

/** Counts a seed among those that failed: once, though it may fail here and in another process. */
export function addFailure(totals: SimTotals, failed: FailedSeed): void {
  const isKnown = totals.failedSeeds.some(({ workload, seed }) => workload === failed.workload && seed === failed.seed)
  if (isKnown) return
  totals.failures += 1
  totals.failedSeeds.push(failed)
}

/** What was counted so far, and in one seed more. */
function sumOf<Name extends string>(
  sum: { readonly [name in Name]: number } | undefined,
  counts: { readonly [name in Name]: number },
): { [name in Name]: number } {
  const total: { [name in Name]: number } = { ...counts }
  if (sum !== undefined) for (const name of Object.keys(counts) as Name[]) total[name] += sum[name]
  return total
}

function addCharts(totals: SimTotals, { charts, kills }: ChartsSeedResult): void {
  const none = { timersArmed: 0, timersFired: 0, timersCancelled: 0, lost: 0, doubled: 0, kills: 0 }
  const sum = totals.charts ?? none
  sum.timersArmed += charts.timersArmed
  sum.timersFired += charts.timersFired
  sum.timersCancelled += charts.timersCancelled
  sum.lost += charts.lost
  sum.doubled += charts.doubled
  for (const count of Object.values(kills)) sum.kills += count
  totals.charts = sum
}

/** All of it in one line. */
export function summary(totals: SimTotals): string {
  const { seeds, failures, events, simSeconds, wallSeconds, acks, elections } = totals
  const work = `${withCommas(events)} events, ${withCommas(acks)} acknowledged commands, ${withCommas(elections)} elections`
  const timers = Object.entries(
    totals.charts ?? totals.schedules ?? totals.board ?? totals.waits ?? totals.workload ?? {},
  ).map(([name, count]) => ` ${name} ${withCommas(count)}`)
  const failed = totals.failedSeeds.map(({ workload, seed }) => `${workload} ${seed}`)
  const verdict = failures === 0 ? heldOrNot(totals) : `${failures} failed: ${failed.join(', ')}`
  return `${withCommas(seeds)} seeds, ${work}, ${withCommas(simSeconds)} simulated seconds in ${wallSeconds} s${timers.length === 0 ? '' : `,${timers.join('')}`}: ${verdict}`
}

function heldOrNot({ lacking = [] }: SimTotals): string {
  return lacking.length === 0 ? 'every invariant held' : `does not count: ${lacking.join('; ')}`
}
