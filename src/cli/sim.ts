import { writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { writeHistory } from '../history/edn/write-edn.ts'
import type { HistoryEvent } from '../history/history.ts'
import { type Activity, lackingActivity } from '../history/properties/activity.ts'
import type { SeedResult } from '../sim/run-seed.ts'
import type { Workload as Described } from '../testing/index.ts'
import { loadMachines } from './machines/load-machines.ts'
import { type AskedSeeds, rangesOf, type SeedRange } from './seeds/seed-ranges.ts'
import { type Elsewhere, runElsewhere, twiceEvery } from './seeds/second-process.ts'
import { SeedWorkers } from './seeds/seed-workers.ts'
import { shrink } from './seeds/shrink.ts'
import { addFailure, addSeed, emptyTotals, type SimTotals, summary } from './seeds/totals.ts'
import { describedWorkload, isModule, seedRunner, type SeedSource } from './seeds/workloads.ts'
import { EXIT, type ExitCode, usageError } from './terminal/exit.ts'
import { paint, print, printJson, say } from './terminal/output.ts'
import { Progress } from './terminal/progress.ts'

/** Options of `holdfast sim`. */
export interface SimFlags extends AskedSeeds {
  /** Seeds that run at a time, each on a thread of its own. */
  readonly jobs: number
  readonly trace: boolean
  /** Which faults of the one seed suffice for it to fail is told, too. */
  readonly shrink?: boolean
  /** Where what the clients of the one seed were told is written. */
  readonly history?: string
  readonly json: boolean
}

/** Failing seeds say their line at once; beyond this many only their number is kept. */
const FAILURE_LINES_MAX = 20

/**
 * `holdfast sim`: runs seeds, several at a time; exit code 1 when one of them breaks an invariant. What it prints is in
 * the order of the seeds and, but for the wall time, the same with any number of jobs.
 */
export async function sim(flags: SimFlags): Promise<ExitCode> {
  checkFlags(flags)
  // A module that cannot be used is told before anything runs.
  const described = await describedWorkload(flags.workload ?? '')
  if (flags.machines !== undefined) await loadMachines(flags.machines)
  const startedAt = performance.now()
  const totals = emptyTotals()
  const isOver = (): boolean => performance.now() - startedAt >= (flags.minutes ?? 0) * 60_000
  const workers = new SeedWorkers(flags.jobs)
  try {
    for (const range of rangesOf(flags, isOver)) {
      // A trace is read line by line: one seed after the other, in this thread.
      if (flags.trace || flags.history !== undefined) await traceSeeds(range, totals, flags)
      else await countSeeds(range, workers, totals)
      if (flags.minutes !== undefined) totals.nextSeed = range.first + range.count
    }
  } finally {
    await workers.close()
  }
  if (flags.shrink === true) await shrinkSeed(flags, totals)
  const lacking = totals.seeds > 1 ? lackingActivity(activityOf(totals), minimumOf(described, totals.seeds)) : []
  if (lacking.length > 0) totals.lacking = lacking
  totals.wallSeconds = rounded((performance.now() - startedAt) / 1000)
  totals.simSeconds = rounded(totals.simSeconds)
  if (flags.json) printJson(totals)
  else print(summary(totals))
  return totals.failures === 0 && lacking.length === 0 ? EXIT.ok : EXIT.failure
}

function checkFlags({ workload = 'counter', machines, history, seeds, minutes, shrink }: SimFlags): void {
  if (machines !== undefined && !isModule(workload))
    throw usageError('--machines is for a workload of your own', 'Name its module too: --workload ./workload.ts.')
  if (shrink === true && (seeds !== 1 || minutes !== undefined))
    throw usageError('--shrink is of one seed', 'Say which: --seed S --seeds 1.')
  if (shrink === true && workload !== 'counter' && workload !== 'histories' && !isModule(workload))
    throw usageError(`faults of ${workload} cannot be left out`, 'Take counter, histories or a workload of your own.')
  if (history === undefined) return
  if (seeds !== 1 || minutes !== undefined)
    throw usageError('--history is of one seed', 'Say which: --seed S --seeds 1.')
  if (workload !== 'histories' && !isModule(workload))
    throw usageError(`the workload ${workload} records no history`, 'Take --workload histories, or one of your own.')
}

/** What happened in a run, by the names that `minimum` of a workload has. */
function activityOf({ acks, elections, snapshots, installs, workload }: SimTotals): Activity {
  return { acks, elections, snapshots, installs, ...workload }
}

function minimumOf(workload: Described | null, seeds: number): Activity {
  return Object.fromEntries(Object.entries(workload?.minimum ?? {}).map(([name, least]) => [name, least * seeds]))
}

async function traceSeeds(
  { workload, machines, first, count }: SeedRange,
  totals: SimTotals,
  { trace, history }: SimFlags,
): Promise<void> {
  const run = await seedRunner({ workload, machines })
  const listener = {
    trace: trace ? say : undefined,
    history: (events: readonly HistoryEvent[]) => {
      if (history !== undefined) writeFileSync(history, writeHistory(events))
    },
  }
  for (let seed = first; seed < first + count; seed += 1) add(totals, await run(seed, listener), { workload, machines })
}

async function countSeeds(range: SeedRange, workers: SeedWorkers, totals: SimTotals): Promise<void> {
  // A run of many minutes whose stderr is a file must not fill it: there, only failing seeds say something.
  const progress = process.stderr.isTTY === true ? new Progress(`seeds (${range.workload})`, range.count) : null
  const before = totals.seeds
  const every = twiceEvery(range.workload)
  const twice: { readonly result: SeedResult; readonly elsewhere: Promise<Elsewhere> }[] = []
  await workers.run(range, (result) => {
    add(totals, result, range)
    // What is run by itself is that second process. It runs beside the threads, which would stand still meanwhile.
    if (range.count > 1 && result.seed % every === 0)
      twice.push({ result, elsewhere: runElsewhere(range, result.seed) })
    progress?.update(totals.seeds - before)
  })
  progress?.finish()
  for (const { result, elsewhere } of twice) addSecond(totals, { ...range, result, elsewhere: await elsewhere })
}

/** A seed that gives another hash in another process, or none, depends on more than its number. */
function addSecond(
  totals: SimTotals,
  { workload, result, elsewhere }: SeedSource & { readonly result: SeedResult; readonly elsewhere: Elsewhere },
): void {
  totals.twice += 1
  if ('hash' in elsewhere && elsewhere.hash === result.hash) return
  addFailure(totals, { workload, seed: result.seed })
  const words =
    'hash' in elsewhere
      ? `is not deterministic: ${result.hash} here, ${elsewhere.hash} in another process`
      : `gave no result in another process: ${elsewhere.failure}`
  say(`${paint('red', 'failed')} seed=${result.seed} of ${workload} ${words}`)
}

/** Tells few faults that suffice for the seed to fail. */
async function shrinkSeed({ workload = 'counter', machines, seed }: SimFlags, totals: SimTotals): Promise<void> {
  if (totals.failures === 0) return
  const shrunk = await shrink(await seedRunner({ workload, machines }), seed)
  if (shrunk === null) return
  const { faults, drawn, runs } = shrunk
  totals.faults = faults.map(({ at, what }) => ({ seconds: rounded(at / 1_000_000), what }))
  say(`${faults.length} of ${drawn} faults suffice (${runs} runs):`)
  for (const { seconds, what } of totals.faults) say(`  ${seconds === 0 ? 'always' : `${seconds} s`}  ${what}`)
}

function add(totals: SimTotals, result: SeedResult, source: SeedSource): void {
  addSeed(totals, result, source.workload)
  if (totals.seeds === 1) totals.hash = result.hash
  else delete totals.hash
  if (result.failure !== null && totals.failures <= FAILURE_LINES_MAX) say(seedLine(result, source))
}

/** One line that says everything about a failing seed, and how to see it again. */
function seedLine(result: SeedResult, { workload, machines }: SeedSource): string {
  const { seed, events, simSeconds, acks, elections, snapshots, hash, failure } = result
  const facts = `events=${events} simSeconds=${rounded(simSeconds)} acks=${acks} elections=${elections} snapshots=${snapshots}`
  const mounted = machines === undefined ? '' : ` --machines ${machines}`
  const named = workload === 'core' ? ' --core' : ` --workload ${workload}`
  const again = `${workload === 'counter' ? '' : named}${mounted}`
  return `${paint('red', 'failed')} seed=${seed} ${facts} hash=${hash} ${failure}\n  again: holdfast sim${again} --seeds 1 --seed ${seed} --trace`
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000
}
