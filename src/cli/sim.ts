import { performance } from 'node:perf_hooks'
import type { BoardCounts, BoardSeedResult } from '../sim/board/run-board-seed.ts'
import type { ChartsSeedResult } from '../sim/charts/run-charts-seed.ts'
import type { SeedResult } from '../sim/run-seed.ts'
import type { WaitsSeedResult } from '../sim/waits/run-waits-seed.ts'
import type { WaitCounts } from '../sim/waits/wait-model.ts'
import { type AskedSeeds, rangesOf, type SeedRange } from './seeds/seed-ranges.ts'
import { SeedWorkers } from './seeds/seed-workers.ts'
import { seedRunner, type Workload } from './seeds/workloads.ts'
import { EXIT, type ExitCode } from './terminal/exit.ts'
import { paint, print, printJson, say, withCommas } from './terminal/output.ts'
import { Progress } from './terminal/progress.ts'

/** Options of `holdfast sim`. */
export interface SimFlags extends AskedSeeds {
  /** Seeds that run at a time, each on a thread of its own. */
  readonly jobs: number
  readonly trace: boolean
  readonly json: boolean
}

/** What `--json` prints; the names are fixed for whoever reads it. */
interface SimTotals {
  seeds: number
  failures: number
  events: number
  simSeconds: number
  wallSeconds: number
  acks: number
  elections: number
  snapshots: number
  installs: number
  failedSeeds: number[]
  /** With `--minutes` alone: where the next run may go on. */
  nextSeed?: number
  /** Of the workload charts alone. */
  charts?: ChartTotals
  /** Of the workload waits alone. */
  waits?: WaitCounts
  /** Of the workload board alone. */
  board?: BoardCounts
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

/** Failing seeds say their line at once; beyond this many only their number is kept. */
const FAILURE_LINES_MAX = 20

/**
 * `holdfast sim`: runs seeds, several at a time; exit code 1 when one of them breaks an invariant. What it prints is in
 * the order of the seeds and, but for the wall time, the same with any number of jobs.
 */
export async function sim(flags: SimFlags): Promise<ExitCode> {
  const startedAt = performance.now()
  const totals = emptyTotals()
  const isOver = (): boolean => performance.now() - startedAt >= (flags.minutes ?? 0) * 60_000
  const workers = new SeedWorkers(flags.jobs)
  try {
    for (const range of rangesOf(flags, isOver)) {
      // A trace is read line by line: one seed after the other, in this thread.
      if (flags.trace) await traceSeeds(range, totals)
      else await countSeeds(range, workers, totals)
      if (flags.minutes !== undefined) totals.nextSeed = range.first + range.count
    }
  } finally {
    await workers.close()
  }
  totals.wallSeconds = rounded((performance.now() - startedAt) / 1000)
  totals.simSeconds = rounded(totals.simSeconds)
  if (flags.json) printJson(totals)
  else print(summary(totals))
  return totals.failures === 0 ? EXIT.ok : EXIT.failure
}

async function traceSeeds({ workload, first, count }: SeedRange, totals: SimTotals): Promise<void> {
  const run = await seedRunner(workload)
  for (let seed = first; seed < first + count; seed += 1) add(totals, run(seed, say), workload)
}

async function countSeeds(range: SeedRange, workers: SeedWorkers, totals: SimTotals): Promise<void> {
  // A run of many minutes whose stderr is a file must not fill it: there, only failing seeds say something.
  const progress = process.stderr.isTTY === true ? new Progress(`seeds (${range.workload})`, range.count) : null
  const before = totals.seeds
  await workers.run(range, (result) => {
    add(totals, result, range.workload)
    progress?.update(totals.seeds - before)
  })
  progress?.finish()
}

function emptyTotals(): SimTotals {
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
  }
  return { ...counts, failedSeeds: [] }
}

function add(totals: SimTotals, result: SeedResult, workload: Workload): void {
  totals.seeds += 1
  totals.events += result.events
  totals.simSeconds += result.simSeconds
  totals.acks += result.acks
  totals.elections += result.elections
  totals.snapshots += result.snapshots
  totals.installs += result.installs
  if ('waits' in result) totals.waits = sumOf(totals.waits, (result as WaitsSeedResult).waits)
  if ('board' in result) totals.board = sumOf(totals.board, (result as BoardSeedResult).board)
  if ('charts' in result) addCharts(totals, result as ChartsSeedResult)
  if (result.failure === null) return
  totals.failures += 1
  totals.failedSeeds.push(result.seed)
  if (totals.failures <= FAILURE_LINES_MAX) say(seedLine(result, workload))
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

/** One line that says everything about a failing seed, and how to see it again. */
function seedLine(result: SeedResult, workload: Workload): string {
  const { seed, events, simSeconds, acks, elections, snapshots, hash, failure } = result
  const facts = `events=${events} simSeconds=${rounded(simSeconds)} acks=${acks} elections=${elections} snapshots=${snapshots}`
  const again = workload === 'counter' ? '' : ` --workload ${workload}`
  return `${paint('red', 'failed')} seed=${seed} ${facts} hash=${hash} ${failure}\n  again: holdfast sim${again} --seeds 1 --seed ${seed} --trace`
}

function summary(totals: SimTotals): string {
  const { seeds, failures, events, simSeconds, wallSeconds, acks, elections } = totals
  const work = `${withCommas(events)} events, ${withCommas(acks)} acknowledged commands, ${withCommas(elections)} elections`
  const timers = Object.entries(totals.charts ?? totals.board ?? totals.waits ?? {}).map(
    ([name, count]) => ` ${name} ${withCommas(count)}`,
  )
  const verdict = failures === 0 ? 'every invariant held' : `${failures} failed: ${totals.failedSeeds.join(' ')}`
  return `${withCommas(seeds)} seeds, ${work}, ${withCommas(simSeconds)} simulated seconds in ${wallSeconds} s${timers.length === 0 ? '' : `,${timers.join('')}`}: ${verdict}`
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
