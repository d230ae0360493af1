import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { type BenchmarkOutcome, benchmarkOutcome } from './benchmark-trial.ts'
import { type Mutant, plant, suiteOf } from './mutant.ts'
import { firstFailingSeed } from './simulated-trial.ts'
import { CANARY, MUTANTS } from './table.ts'
import { Copy, type TestOutcome } from './tested-trial.ts'

/** Compiled, this file lies in dist/test/mutants. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')

/** `survived`: nothing noticed the bug. `untried`: the machine lacks what its tests need. `broken`: nothing could be told. */
type Verdict = 'killed' | 'survived' | 'untried' | 'broken'

interface Trial {
  readonly id: string
  readonly name: string
  readonly layer: string
  readonly verdict: Verdict
  /** The test or the seed that noticed it; else what was said. */
  readonly by: string
  readonly seconds: number
}

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

const program = new Command('mutants')
  .description('plants one bug after the other in a copy of the tree; a test must notice each')
  .option('--suite <name>', `only the bugs of one suite: ${suites().join(', ')}`)
  .option('--only <text>', 'only the bugs whose id holds this')
  .option('--json', 'one JSON object as the last line of stdout')
  .parse()
const flags: { suite?: string; only?: string; json?: true } = program.opts()

const { suite, only = '' } = flags
const chosen = MUTANTS.filter((mutant) => (suite ?? suiteOf(mutant)) === suiteOf(mutant) && mutant.id.includes(only))
if (chosen.length === 0) program.error(`no bug is called so; the suites are ${suites().join(', ')}`)
let running: Copy | null = null
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'))
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await running?.stop()
    // Processes of the tests may still be at their own clean-up.
    rmSync(scratch, { recursive: true, force: true, maxRetries: 20 })
    process.exit(1)
  })
}
try {
  process.exitCode = await main(chosen)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Tries each; the exit code says whether all were noticed. */
async function main(mutants: readonly Mutant[]): Promise<number> {
  const copy = new Copy(ROOT, join(scratch, 'tree'))
  running = copy
  const files = [...new Set(mutants.flatMap(filesOf))]
  const intact = files.length === 0 ? null : await copy.test(files)
  if (intact?.kind === 'failed' || intact?.kind === 'broken') {
    console.error(`Nothing was planted, because these tests are red without it: ${intact.says}`)
    return 1
  }
  const started = Date.now()
  const trials: Trial[] = []
  for (const mutant of mutants) {
    const trial = await tryOne(copy, mutant)
    trials.push(trial)
    console.error(`${trial.verdict.padEnd(8)} ${trial.seconds.toFixed(1).padStart(5)} s  ${trial.id}  ${trial.by}`)
  }
  return report(trials, secondsSince(started))
}

async function tryOne(copy: Copy, mutant: Mutant): Promise<Trial> {
  const started = Date.now()
  const [verdict, by] = await trialOf(copy, mutant)
  const seconds = secondsSince(started)
  return { id: mutant.id, name: mutant.breaks, layer: suiteOf(mutant), verdict, by, seconds }
}

function trialOf(copy: Copy, mutant: Mutant): Promise<[Verdict, string]> {
  const { caughtBy } = mutant
  switch (caughtBy.kind) {
    case 'tests':
      return inTests(copy, mutant)
    case 'simulator':
      return inSimulator(mutant)
    case 'benchmark':
      return underFaults(mutant, caughtBy)
    default:
      throw new Error(`nothing catches by ${String(caughtBy satisfies never)}`)
  }
}

async function underFaults(
  mutant: Mutant,
  { faults, trials }: { readonly faults: readonly string[]; readonly trials: number },
): Promise<[Verdict, string]> {
  const copy = join(scratch, mutant.id.replace('/', '-'))
  const { kind, says } = await benchmarkOutcome({ root: ROOT, copy, mutant, faults, trials })
  rmSync(copy, { recursive: true, force: true })
  return [UNDER_FAULTS[kind], says]
}

async function inTests(copy: Copy, mutant: Mutant): Promise<[Verdict, string]> {
  const restore = plant(mutant, copy.path)
  try {
    const outcome = await copy.test(filesOf(mutant))
    return [VERDICTS[outcome.kind], outcome.says]
  } finally {
    restore()
  }
}

async function inSimulator(mutant: Mutant): Promise<[Verdict, string]> {
  const seeds = mutant.caughtBy.kind === 'simulator' ? mutant.caughtBy.seeds : 0
  const copy = join(scratch, mutant.id.replace('/', '-'))
  const failure = await firstFailingSeed({ root: ROOT, copy, mutant, seeds })
  rmSync(copy, { recursive: true, force: true })
  return failure === null ? ['survived', `${seeds} seeds are clean`] : ['killed', failure]
}

function report(trials: readonly Trial[], seconds: number): number {
  const having = (verdict: Verdict): string[] =>
    trials.filter((trial) => trial.verdict === verdict).map((trial) => trial.id)
  const canary = trials.find((trial) => trial.id === CANARY)?.verdict ?? null
  const [killed, survivors, untried, broken] = [
    having('killed'),
    having('survived'),
    having('untried'),
    having('broken'),
  ]
  console.error(`${killed.length} of ${trials.length} planted bugs were noticed in ${seconds} s`)
  if (flags.json === true) {
    const counts = { total: trials.length, killed: killed.length }
    console.log(JSON.stringify({ ...counts, survivors, untried, broken, canary, bugs: trials, seconds }))
  }
  return survivors.length + broken.length === 0 ? 0 : 1
}

function filesOf(mutant: Mutant): readonly string[] {
  return mutant.caughtBy.kind === 'tests' ? mutant.caughtBy.files : []
}

function suites(): readonly string[] {
  return [...new Set(MUTANTS.map(suiteOf))]
}

function secondsSince(started: number): number {
  return Math.round((Date.now() - started) / 100) / 10
}
