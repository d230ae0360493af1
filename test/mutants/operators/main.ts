import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, InvalidArgumentError } from 'commander'
import { KeptResults } from '../kept-results.ts'
import { type FileScore, Stryker } from './stryker.ts'

/** Compiled, this file lies in dist/test/mutants/operators. */
const ROOT = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '')

const program = new Command('mutants:operators')
  .description(
    'changes one operator, constant or statement of a folder after the other (Stryker); the tests of the folder of that name ' +
      'must notice each. Goes on where it was stopped: results are kept file by file',
  )
  .argument('<folder>', 'of src, for example raft or session')
  .option('--only <text>', 'only files whose path holds this')
  .option('--minutes <count>', 'begins no file after so many', countOf, Number.POSITIVE_INFINITY)
  .option('--jobs <count>', 'changes that are tried at a time', countOf, 2)
  .option('--json', 'one JSON object as the last line of stdout')
  .parse()

const flags: { readonly only?: string; readonly minutes: number; readonly jobs: number; readonly json?: true } =
  program.opts()
const [folder = ''] = program.args
const tests = join('test', folder)
if (!existsSync(join(ROOT, 'src', folder)) || !existsSync(join(ROOT, tests)))
  program.error(`there is no folder ${folder} in src and in test`)

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ended.abort())
const { scores, left } = await tryAll(filesOf(folder))
const [changes, noticed] = [sum(({ changes: count }) => count), sum((score) => score.noticed)]
if (flags.json === true) console.log(JSON.stringify({ folder, files: scores.length, left, changes, noticed }))
else console.log(`${noticed} of ${changes} changes noticed, in ${scores.length} files; ${left} files are left`)

/** Those that were tried before on these sources are taken as they were. */
async function tryAll(files: readonly string[]) {
  const kept = new KeptResults<FileScore>(ROOT, join(ROOT, '.mutants', 'operators.json'))
  const until = performance.now() + flags.minutes * 60_000
  const stryker = new Stryker(ROOT)
  const found: FileScore[] = []
  for (const file of files) {
    const known = kept.get({ file }, 'tests')
    if (known === null && (ended.signal.aborted || performance.now() > until)) continue
    if (known === null) stryker.install()
    const score = known ?? (await scoreOf(file, stryker))
    if (score === null) continue
    if (known === null) kept.keep({ file }, 'tests', score)
    tell(score)
    found.push(score)
  }
  return { scores: found, left: files.length - found.length }
}

/** Null: it was stopped within. */
async function scoreOf(file: string, stryker: Stryker): Promise<FileScore | null> {
  try {
    return await stryker.run(file, tests, { jobs: flags.jobs, signal: ended.signal })
  } catch (error) {
    if (ended.signal.aborted) return null
    throw error
  }
}

function tell({ file, changes: count, noticed: seen, survivors }: FileScore): void {
  console.error(`${file}: ${seen} of ${count}`)
  for (const { line, operator, replacement, covered } of survivors)
    console.error(`  ${line}: ${operator}${covered ? '' : ', which no test reaches'}: ${replacement.split('\n')[0]}`)
}

function filesOf(name: string): string[] {
  return readdirSync(join(ROOT, 'src', name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .filter((path) => path.includes(flags.only ?? ''))
    .sort()
}

function sum(of: (score: FileScore) => number): number {
  return scores.reduce((total, score) => total + of(score), 0)
}

function countOf(text: string): number {
  const count = Number(text)
  if (!Number.isSafeInteger(count) || count < 1) throw new InvalidArgumentError('a whole number from 1 on')
  return count
}
