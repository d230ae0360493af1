import { join } from 'node:path'
import { packageFacts } from '../../src/cli/package-root.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { Random } from '../../src/base/random.ts'
import { runCell } from './cell.ts'
import { FAULTS, skipReason } from './nemesis/catalogue.ts'
import type { Fault } from './nemesis/fault.ts'
import type { Schedule } from './nemesis/nemesis.ts'
import { pageOf } from './report/html.ts'
import { Results } from './report/results.ts'
import { type StoredCell, summaryOf } from './report/summary.ts'
import { run } from './world/run.ts'
import { removeLeftovers, Resources } from './world/resources.ts'
import { missingTools, TOOLS } from './world/tools.ts'

export interface FaultsFlags {
  readonly json: boolean
  /** Short faults, all in one cluster. */
  readonly quick: boolean
  /** Names of faults; null: all. */
  readonly only: readonly string[] | null
  /** How often each fault is made. */
  readonly trials: number
  readonly seed: number
  /** As without root: on loopback, and only faults that need no tool. */
  readonly loopback: boolean
}

const QUICK: Schedule = {
  healthyMs: 4_000,
  holdMs: { min: 2_500, max: 4_000 },
  quietMs: { min: 1_500, max: 2_500 },
  budgetMs: 190_000,
  recoveryMsMax: 40_000,
}
const LONG: Schedule = {
  healthyMs: 10_000,
  holdMs: { min: 5_000, max: 15_000 },
  quietMs: { min: 3_000, max: 8_000 },
  budgetMs: 3_600_000,
  recoveryMsMax: 120_000,
}
/** Purposes of streams of random numbers. */
const ORDER = 3

/**
 * Real nodes under every fault that this machine can make, while clients do things of which each answer is judged afterwards
 * (faults.md §5.1). True when nothing was lost, done twice, invented or answered wrongly, and the cluster recovered each time.
 */
export async function faults(flags: FaultsFlags): Promise<boolean> {
  const started = performance.now()
  const parent = join(packageFacts().root, 'data')
  for (const directory of await removeLeftovers(parent)) say(`removed what an earlier run had left in ${directory}`)
  const missing = flags.loopback ? new Map(TOOLS.map((tool) => [tool, 'left out'])) : await missingTools()
  const wanted = FAULTS.filter(({ name }) => flags.only?.includes(name) ?? true)
  const reasons = wanted.map((fault) => [fault.name, skipReason(fault, missing)] as const)
  const skipped = Object.fromEntries(reasons.flatMap(([name, reason]) => (reason === null ? [] : [[name, reason]])))
  for (const [name, reason] of Object.entries(skipped)) say(`skipped: ${name}: ${reason}`)
  const able = wanted.filter(({ name }) => !(name in skipped))
  const commit = await run('git', ['-C', packageFacts().root, 'rev-parse', 'HEAD']).catch(() => 'unknown')
  const out = join(parent, 'faults')
  const results = new Results(out, commit.trim())
  const cells: StoredCell[] = []
  for (const { name, faults: some } of cellsOf(able, flags)) {
    const stored = flags.quick ? null : results.of(name)
    if (stored !== null) say(`${name}: has a result for this commit`)
    const cell =
      stored ??
      (await inResources(parent, (resources, ended) =>
        runCell(name, {
          faults: some,
          schedule: flags.quick ? QUICK : LONG,
          seed: flags.seed,
          resources,
          missing,
          ended,
        }),
      ))
    if (!flags.quick) results.keep(cell)
    cells.push(cell)
  }
  const seconds = Math.round((performance.now() - started) / 1000)
  const summary = summaryOf(cells, { seed: flags.seed, commit: commit.trim(), seconds, skipped })
  results.report(summary, pageOf(summary, cells))
  for (const line of [...summary.examples, ...summary.crashes, ...summary.lostSessions]) say(line)
  say(`the report is in ${out}`)
  if (flags.json) printJson(summary)
  else say(JSON.stringify({ ...summary, faults: Object.keys(summary.faults) }, null, 2))
  return summary.ok
}

/** In quick runs one cluster has all faults; in others each fault has a cluster and a history of its own. */
function cellsOf(
  able: readonly Fault[],
  flags: FaultsFlags,
): { readonly name: string; readonly faults: readonly Fault[] }[] {
  const repeated = (fault: Fault): Fault[] => Array.from({ length: flags.trials }, () => fault)
  if (!flags.quick) return able.map((fault) => ({ name: fault.name, faults: repeated(fault) }))
  return [{ name: 'all', faults: shuffled(able.flatMap(repeated), new Random(flags.seed, ORDER)) }]
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
