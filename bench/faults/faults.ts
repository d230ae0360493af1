import { join } from 'node:path'
import { packageFacts } from '../../src/cli/package-root.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { Random } from '../../src/base/random.ts'
import { runCell } from './cell.ts'
import { runEtcdCell } from './etcd/etcd-cell.ts'
import { FAULTS, skipReason } from './nemesis/catalogue.ts'
import type { Fault } from './nemesis/fault.ts'
import type { Schedule } from './nemesis/nemesis.ts'
import { MEASURED_FAULTS, MEASURED_TRIALS } from './report/goals.ts'
import { pageOf } from './report/html.ts'
import { Results } from './report/results.ts'
import { type StoredCell, type Summary, summaryOf } from './report/summary.ts'
import { run as execute } from './world/run.ts'
import { removeLeftovers, Resources } from './world/resources.ts'
import { missingTools, TOOLS } from './world/tools.ts'

export interface FaultsFlags {
  readonly json: boolean
  /** Short faults, all in one cluster. */
  readonly quick: boolean
  /** Names of faults; null: all. */
  readonly only: readonly string[] | null
  /** How often each fault is made; null: once if quick, else twice, and 50 times where quantiles are asked of it. */
  readonly trials: number | null
  readonly seed: number
  /** As without root: on loopback, and only faults that need no tool. */
  readonly loopback: boolean
  /** The same faults for three members of etcd. */
  readonly etcd: boolean
}

const QUICK: Schedule = {
  healthyMs: 4_000,
  holdMs: { min: 2_500, max: 4_000 },
  quietMs: { min: 1_500, max: 2_500 },
  budgetMs: 190_000,
  recoveryMsMax: 40_000,
}
const LONG: Schedule = {
  healthyMs: 5_000,
  holdMs: { min: 3_000, max: 6_000 },
  quietMs: { min: 4_000, max: 5_000 },
  budgetMs: 3_600_000,
  recoveryMsMax: 120_000,
}
/** For faults whose gap is measured many times: they hold for longer than any gap. */
const BRISK: Schedule = {
  ...LONG,
  holdMs: { min: 1_300, max: 2_000 },
  quietMs: { min: 600, max: 1_200 },
}
const TRIALS = 2
/** What members of etcd are not put to: the bench does not replace them. */
const NOT_ETCD: ReadonlySet<string> = new Set(['wiped-follower', 'member-churn'])
/** Purposes of streams of random numbers. */
const ORDER = 3

/**
 * Real nodes under every fault that this machine can make, while clients do things of which each answer is judged afterwards
 * (faults.md §5.1). True when nothing was lost, done twice, invented or answered wrongly, and the cluster recovered each time.
 */
export async function faults(flags: FaultsFlags): Promise<boolean> {
  const { json, quick, only, etcd } = flags
  const wanted = FAULTS.filter(({ name }) => only?.includes(name) ?? true).filter(
    ({ name }) => !(etcd && NOT_ETCD.has(name)),
  )
  const cells = (able: readonly Fault[]): Cell[] => cellsOf(able, flags)
  const { summary, out } = await runCells({
    ...flags,
    wanted,
    cells,
    kept: !quick,
    out: etcd ? 'etcd-faults' : 'faults',
  })
  say(`the report is in ${out}`)
  if (json) printJson(summary)
  else say(JSON.stringify({ ...summary, faults: Object.keys(summary.faults) }, null, 2))
  return summary.ok
}

/** Clusters, the faults that each is put to, and where what comes of it is kept. */
export interface CellsRun {
  readonly wanted: readonly Fault[]
  /** Given those of the wanted that can be made here. */
  cells(able: readonly Fault[]): readonly Cell[]
  readonly seed: number
  readonly loopback: boolean
  /** Whether cells are kept by commit, and not repeated. */
  readonly kept: boolean
  readonly etcd: boolean
  /** A name below `data` for the summary and the page. */
  readonly out: string
}

/** Runs one cell after the other; what a run that was killed has left behind is removed first. */
export async function runCells({
  wanted,
  cells: cellsOfAble,
  ...run
}: CellsRun): Promise<{ readonly summary: Summary; readonly out: string }> {
  const started = performance.now()
  const parent = join(packageFacts().root, 'data')
  for (const directory of await removeLeftovers(parent)) say(`removed what an earlier run had left in ${directory}`)
  const missing = run.loopback ? new Map(TOOLS.map((tool) => [tool, 'left out'])) : await missingTools()
  const reasons = wanted.map((fault) => [fault.name, skipReason(fault, missing)] as const)
  const skipped = Object.fromEntries(reasons.flatMap(([name, reason]) => (reason === null ? [] : [[name, reason]])))
  for (const [name, reason] of Object.entries(skipped)) say(`skipped: ${name}: ${reason}`)
  const able = wanted.filter(({ name }) => !(name in skipped))
  const commit = (await execute('git', ['-C', packageFacts().root, 'rev-parse', 'HEAD']).catch(() => 'unknown')).trim()
  const out = join(parent, run.out)
  const results = new Results(out, [commit, `seed-${run.seed}`, ...(run.loopback ? ['loopback'] : [])].join('-'))
  const cells: StoredCell[] = []
  for (const { name, faults: some, schedule, seed } of cellsOfAble(able)) {
    const stored = run.kept ? results.of(name, some.length) : null
    if (stored !== null) say(`${name}: has a result for this commit`)
    const options = { faults: some, schedule, seed, missing }
    const cell =
      stored ??
      (await inResources(parent, (resources, ended) =>
        (run.etcd ? runEtcdCell : runCell)(name, { ...options, resources, ended }),
      ))
    if (run.kept) results.keep(cell)
    cells.push(cell)
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  const summary = summaryOf(cells, { seed: run.seed, commit, seconds, skipped })
  results.report(summary, pageOf(summary, cells))
  for (const line of [...summary.examples, ...summary.crashes, ...summary.lostSessions]) say(line)
  return { summary, out }
}

/** A cluster, and what it is put to. */
export interface Cell {
  readonly name: string
  readonly faults: readonly Fault[]
  readonly schedule: Schedule
  readonly seed: number
}

/** In quick runs one cluster has all faults; in others each fault has a cluster and a history of its own. */
function cellsOf(able: readonly Fault[], { quick, trials, seed }: FaultsFlags): Cell[] {
  const repeated = (fault: Fault, times: number): Fault[] => Array.from({ length: trials ?? times }, () => fault)
  if (quick) {
    const order = able.flatMap((fault) => repeated(fault, 1))
    return [{ name: 'all', faults: shuffled(order, new Random(seed, ORDER)), schedule: QUICK, seed }]
  }
  return able.map((fault) => {
    const measured = MEASURED_FAULTS.has(fault.name)
    const faults = repeated(fault, measured ? MEASURED_TRIALS : TRIALS)
    return { name: fault.name, faults, schedule: measured ? BRISK : LONG, seed }
  })
}

/** Gives `work` what it may note its resources in, and releases them, also when this process is told to end. */
async function inResources<Result>(
  parent: string,
  work: (resources: Resources, ended: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const resources = Resources.claim(parent)
  const ended = new AbortController()
  // Told again, it goes on with its clean-up.
  const end = (signal: NodeJS.Signals): void => ended.abort(new Error(signal))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end)
  try {
    return await work(resources, ended.signal)
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end)
    await resources.release()
  }
}

function shuffled(all: readonly Fault[], random: Random): Fault[] {
  const left = [...all]
  const order: Fault[] = []
  while (left.length > 0) order.push(...left.splice(random.below(left.length), 1))
  return order
}
