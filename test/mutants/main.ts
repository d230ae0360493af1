import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { KeptResults } from './kept-results.ts'
import { type Mutant, suiteOf } from './mutant.ts'
import { exitCodeOf, lineOf, summaryOf, tableOf } from './report.ts'
import { CANARY, MUTANTS } from './table.ts'
import { Copy } from './tested-trial.ts'
import { THIRTY } from './thirty.ts'
import { type Trial, tryMutant, type Workshop } from './trial.ts'

/** Compiled, this file lies in dist/test/mutants. */
const ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
const KEPT = join(ROOT, '.mutants', 'results.json')

const program = new Command('mutants')
  .description('plants one bug after the other in a copy of the tree; what is named beside it must notice each')
  .option('--suite <name>', `only the bugs of one suite: ${suites().join(', ')}`)
  .option('--only <text>', 'only the bugs whose id holds this')
  .option('--thirty', 'only the thirty, by what is named beside them and by random seeds')
  .option('--swarm', 'only the thirty, by random seeds of the simulator alone')
  .option('--jobs <count>', 'how many at a time', countOf, 2)
  .option('--fresh', 'try those again, too, whose result was kept by an earlier run on the same sources')
  .option('--table', 'print the thirty as a table, for docs/testing.md')
  .option('--json', 'one JSON object as the last line of stdout')
  .parse()

interface Flags {
  readonly suite?: string
  readonly only?: string
  readonly thirty?: true
  readonly swarm?: true
  readonly jobs: number
  readonly fresh?: true
  readonly table?: true
  readonly json?: true
}

/** One planted bug and who is to look for it. */
interface Order {
  readonly mutant: Mutant
  readonly layer: Trial['layer']
}

const flags: Flags = program.opts()
const orders = ordersOf(flags)
if (orders.length === 0) program.error(`no bug is called so; the suites are ${suites().join(', ')}`)
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-mutants-'))
const copies: Copy[] = []
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await Promise.all(copies.map((copy) => copy.stop()))
    // Processes of the tests may still be at their own clean-up.
    rmSync(scratch, { recursive: true, force: true, maxRetries: 20 })
    process.exit(1)
  })
}
try {
  process.exitCode = await main(orders)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

/** Tries each, or takes what an earlier run kept; the exit code says whether all were noticed that must be. */
async function main(all: readonly Order[]): Promise<number> {
  const started = Date.now()
  const kept = new KeptResults<Trial>(ROOT, KEPT)
  const trials: Trial[] = []
  const left: Order[] = []
  for (const order of all) {
    const known = flags.fresh === true ? null : kept.get(...rowOf(order))
    if (known === null) left.push(order)
    else trials.push(known)
  }
  if (trials.length > 0) console.error(`${trials.length} were tried before, on these sources; --fresh tries them again`)
  const red = await redTests(left)
  if (red !== null) {
    console.error(`Nothing was planted, because these tests are red without it: ${red}`)
    return 1
  }
  await tryAll(left, (order, trial) => {
    if (trial.verdict === 'killed' || trial.verdict === 'survived') kept.keep(...rowOf(order), trial)
    trials.push(trial)
    console.error(lineOf(trial))
  })
  const summary = summaryOf(trials, {
    canary: CANARY,
    thirty: THIRTY,
    seconds: Math.round((Date.now() - started) / 1000),
  })
  console.error(summary.says)
  if (flags.table === true) console.log(tableOf(trials, { thirty: THIRTY, mutants: MUTANTS }))
  if (flags.json === true) console.log(JSON.stringify(summary.json))
  return exitCodeOf(trials)
}

/** Which bugs, and by whom: each by what its row names, and the thirty by random seeds besides. */
function ordersOf({ suite, only = '', thirty, swarm }: Flags): readonly Order[] {
  const chosen = MUTANTS.filter((each) => (suite ?? suiteOf(each)) === suiteOf(each) && each.id.includes(only))
  const among = chosen.filter(({ id }) => THIRTY.some((each) => each.id === id))
  const named = swarm === true ? [] : thirty === true ? among : chosen
  const everything = suite === undefined && only === ''
  const random = swarm === true || thirty === true || everything ? among : []
  return [
    ...named.map((mutant): Order => ({ mutant, layer: mutant.caughtBy.kind })),
    ...random.map((mutant): Order => ({ mutant, layer: 'swarm' })),
  ]
}

/** What a result is kept under. */
function rowOf({ mutant, layer }: Order): [row: object, kind: 'tests' | 'simulator' | 'benchmark'] {
  return [{ mutant, layer }, layer === 'swarm' ? 'simulator' : layer]
}

/** What is red of the tests that are to notice, without anything planted; null: nothing. */
async function redTests(left: readonly Order[]): Promise<string | null> {
  const files = [
    ...new Set(
      left.flatMap(({ mutant: { caughtBy }, layer }) =>
        layer === 'tests' && caughtBy.kind === 'tests' ? caughtBy.files : [],
      ),
    ),
  ]
  if (files.length === 0) return null
  const intact = await copyAt(0).test(files)
  return intact.kind === 'failed' || intact.kind === 'broken' ? intact.says : null
}

/** Several at a time; the benchmark, which measures a machine, by itself. */
async function tryAll(left: readonly Order[], tell: (order: Order, trial: Trial) => void): Promise<void> {
  const alone = left.filter(({ layer }) => layer === 'benchmark')
  const queue = left.filter(({ layer }) => layer !== 'benchmark')
  const job = async (at: number, waiting: Order[]): Promise<void> => {
    for (let order = waiting.shift(); order !== undefined; order = waiting.shift()) {
      const workshop: Workshop = { root: ROOT, scratch: join(scratch, String(at)), copy: () => copyAt(at) }
      tell(order, await tryMutant(workshop, order.mutant, order.layer))
    }
  }
  await Promise.all(Array.from({ length: flags.jobs }, (_, at) => job(at, queue)))
  await job(0, alone)
}

/** The copy in which a job runs tests: made when it is first asked for. */
function copyAt(at: number): Copy {
  const known = copies[at]
  if (known !== undefined) return known
  const copy = new Copy(ROOT, join(scratch, `tree-${at}`))
  copies[at] = copy
  return copy
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError('It is a number of 1 or more.')
  return count
}

function suites(): readonly string[] {
  return [...new Set(MUTANTS.map(suiteOf))]
}
