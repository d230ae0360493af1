import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type BenchmarkOutcome, benchmarkOutcome } from './benchmark-trial.ts'
import { type Catcher, type Mutant, plant, suiteOf } from './mutant.ts'
import { searchSeeds, SWARM } from './simulated-trial.ts'
import type { Copy, TestOutcome } from './tested-trial.ts'

/** `survived`: nothing noticed the bug. `untried`: the machine lacks what its tests need. `broken`: nothing could be told. */
export type Verdict = 'killed' | 'survived' | 'untried' | 'broken'

/** What came of one planted bug, looked for in one way. */
export interface Trial {
  readonly id: string
  /** What goes wrong with it. */
  readonly name: string
  readonly suite: string
  /** What looked for it: what the row names, or the random seeds that no row names. */
  readonly layer: Catcher['kind'] | 'swarm'
  readonly verdict: Verdict
  /** The test or the seed that noticed it; else what was said. */
  readonly by: string
  /** Of the search, with compiling. */
  readonly seconds: number
  /** Seeds that were run until one noticed it; null: no seeds were run. */
  readonly seeds: number | null
}

/** What a trial works in. */
export interface Workshop {
  /** The checkout. */
  readonly root: string
  /** A folder for copies that go when their trial is over. */
  readonly scratch: string
  /** Where tests run: made when it is first asked for. */
  copy(): Copy
}

type Found = Pick<Trial, 'verdict' | 'by' | 'seeds'>

const VERDICTS: { readonly [kind in TestOutcome['kind']]: Verdict } = {
  passed: 'survived',
  failed: 'killed',
  skipped: 'untried',
  broken: 'broken',
}

const UNDER_FAULTS: { readonly [kind in BenchmarkOutcome['kind']]: Verdict } = {
  caught: 'killed',
  clean: 'survived',
  skipped: 'untried',
  broken: 'broken',
}

/** Plants the bug in a copy, and has `layer` look for it: what its row names, or random seeds. Never rejects. */
export async function tryMutant(workshop: Workshop, mutant: Mutant, layer: Trial['layer']): Promise<Trial> {
  const started = Date.now()
  const found = await foundBy(workshop, mutant, layer).catch(broken)
  const seconds = Math.round((Date.now() - started) / 100) / 10
  return { id: mutant.id, name: mutant.breaks, suite: suiteOf(mutant), layer, ...found, seconds }
}

function broken(error: unknown): Found {
  return { verdict: 'broken', by: error instanceof Error ? (error.message.split('\n')[0] ?? '') : '', seeds: null }
}

function foundBy(workshop: Workshop, mutant: Mutant, layer: Trial['layer']): Promise<Found> {
  if (layer === 'swarm') return inSeeds(workshop, mutant, SWARM)
  const { caughtBy } = mutant
  switch (caughtBy.kind) {
    case 'tests':
      return inTests(workshop.copy(), mutant, caughtBy.files)
    case 'simulator':
      return inSeeds(workshop, mutant, { workloads: [caughtBy.workload ?? 'counter'], seeds: caughtBy.seeds })
    case 'benchmark':
      return underFaults(workshop, mutant, caughtBy)
    default:
      throw new Error(`nothing catches by ${String(caughtBy satisfies never)}`)
  }
}

async function inTests(copy: Copy, mutant: Mutant, files: readonly string[]): Promise<Found> {
  const restore = plant(mutant, copy.path)
  try {
    const { kind, says } = await copy.test(files)
    return { verdict: VERDICTS[kind], by: says, seeds: null }
  } finally {
    restore()
  }
}

async function inSeeds(workshop: Workshop, mutant: Mutant, search: typeof SWARM): Promise<Found> {
  const copy = copyFor(workshop, mutant)
  try {
    const { failure, seeds } = await searchSeeds({ root: workshop.root, copy, mutant, search })
    return { verdict: failure === null ? 'survived' : 'killed', by: failure ?? `${seeds} seeds are clean`, seeds }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

async function underFaults(
  workshop: Workshop,
  mutant: Mutant,
  { faults, trials }: { readonly faults: readonly string[]; readonly trials: number },
): Promise<Found> {
  const copy = copyFor(workshop, mutant)
  try {
    const { kind, says } = await benchmarkOutcome({ root: workshop.root, copy, mutant, faults, trials })
    return { verdict: UNDER_FAULTS[kind], by: says, seeds: null }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

function copyFor({ scratch }: Workshop, { id }: Mutant): string {
  return join(scratch, id.replace('/', '-'))
}
