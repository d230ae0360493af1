import { join } from 'node:path'
import { packageFacts } from '../../src/cli/package-root.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { Random } from '../../src/base/random.ts'
import { type CellResult, runCell } from './cell.ts'
import { FAULTS, skipReason } from './nemesis/catalogue.ts'
import type { Fault } from './nemesis/fault.ts'
import type { Schedule } from './nemesis/nemesis.ts'
import { isClean, type Verdict } from './verdict/judge-history.ts'
import { removeLeftovers, Resources } from './world/resources.ts'
import { missingTools, TOOLS } from './world/tools.ts'

export interface FaultsFlags {
  readonly json: boolean
  /** Short faults, each once. */
  readonly quick: boolean
  /** Names of faults; null: all. */
  readonly only: readonly string[] | null
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
  const parent = join(packageFacts().root, 'data')
  for (const directory of await removeLeftovers(parent)) say(`removed what an earlier run had left in ${directory}`)
  const missing = flags.loopback ? new Map(TOOLS.map((tool) => [tool, 'left out'])) : await missingTools()
  const wanted = FAULTS.filter(({ name }) => flags.only?.includes(name) ?? true)
  const skipped = Object.fromEntries(
    wanted.flatMap((fault) => {
      const reason = skipReason(fault, missing)
      return reason === null ? [] : [[fault.name, reason] as const]
    }),
  )
  for (const [name, reason] of Object.entries(skipped)) say(`skipped: ${name}: ${reason}`)
  const able = shuffled(
    wanted.filter(({ name }) => !(name in skipped)),
    new Random(flags.seed, ORDER),
  )
  const result = await inResources(parent, (resources, ended) =>
    runCell({ faults: able, schedule: flags.quick ? QUICK : LONG, seed: flags.seed, resources, missing, ended }),
  )
  return told(result, skipped, flags)
}

function told(result: CellResult, skipped: { readonly [name: string]: string }, flags: FaultsFlags): boolean {
  const { verdict, operations: _, seen: __, faults: figures, late, ...rest } = result
  for (const line of [...verdict.examples, ...rest.crashes, ...rest.lostSessions]) say(line)
  const anomalies = anomaliesOf(verdict) + (rest.diverged ? 1 : 0)
  const noTime = Object.fromEntries(late.map((name) => [name, 'no time was left']))
  const summary = {
    anomalies,
    // Every history here is decided: replies carry their index, and the journal has what nobody was told of.
    unknown: 0,
    lost: verdict.lost,
    ...rest,
    seed: flags.seed,
    faults: Object.fromEntries(figures.map(({ name, ...one }) => [name, one])),
    skipped: { ...skipped, ...noTime },
  }
  if (flags.json) printJson(summary)
  else say(JSON.stringify(summary, null, 2))
  return (
    isClean(verdict) &&
    anomalies === 0 &&
    rest.crashes.length + rest.lostSessions.length + rest.unrecovered.length + rest.unhandledRejections === 0
  )
}

function anomaliesOf({ examples: _, ...counts }: Verdict): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0)
}

/** Gives `run` what it may note its resources in, and releases them, also when this process is told to end. */
async function inResources<Result>(
  parent: string,
  run: (resources: Resources, ended: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const resources = Resources.claim(parent)
  const ended = new AbortController()
  const end = (signal: NodeJS.Signals): void => ended.abort(new Error(signal))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
  try {
    return await run(resources, ended.signal)
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
