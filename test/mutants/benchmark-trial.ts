import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Mutant, plant } from './mutant.ts'

const execute = promisify(execFile)

const SOURCES = ['src', 'bench', 'proto', 'package.json']
const SOURCES_ONLY = { compilerOptions: { rootDir: '.', outDir: 'dist' }, include: ['src', 'bench'] }

/** Where a server with a bug is compiled, and put to faults. */
export interface BenchmarkTrial {
  /** The checkout. */
  readonly root: string
  /** A folder that is not there yet: it takes a copy of the sources. */
  readonly copy: string
  readonly mutant: Mutant
  readonly faults: readonly string[]
  /** How often each of them is made. */
  readonly trials: number
}

/** What the benchmark of faults said of a server with the bug: what it found, nothing, or why it could not look. */
export interface BenchmarkOutcome {
  readonly kind: 'caught' | 'clean' | 'skipped' | 'broken'
  readonly says: string
}

/** Compiles the copy with the bug and runs `bench faults` on it. */
export async function benchmarkOutcome(trial: BenchmarkTrial): Promise<BenchmarkOutcome> {
  const { root, copy, mutant, faults, trials } = trial
  mkdirSync(copy, { recursive: true })
  for (const name of SOURCES) cpSync(join(root, name), join(copy, name), { recursive: true })
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), ...SOURCES_ONLY }))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  plant(mutant, copy)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await execute(process.execPath, [tsc, '--noCheck', '-p', 'tsconfig.json', '--declaration', 'false'], { cwd: copy })
  const flags = ['faults', '--quick', '--only', faults.join(), '--trials', String(trials), '--json']
  const bench = execute(process.execPath, [join('dist', 'bench', 'main.js'), ...flags], {
    cwd: copy,
    maxBuffer: 1 << 26,
  })
  return outcomeOf(await bench.catch((error: { readonly stdout?: string }) => ({ stdout: error.stdout ?? '' })))
}

/** What is looked at of the summary that is the last line of stdout. */
interface Summary {
  readonly ok: boolean
  readonly anomalies: number
  readonly examples: readonly string[]
  readonly crashes: readonly string[]
  readonly unrecovered: readonly string[]
  readonly diverged: boolean
  readonly faults: object
}

function outcomeOf({ stdout }: { readonly stdout: string }): BenchmarkOutcome {
  const last = stdout.trim().split('\n').at(-1) ?? ''
  if (!last.startsWith('{')) return { kind: 'broken', says: last === '' ? 'the benchmark said nothing' : last }
  const { ok, anomalies, examples, crashes, unrecovered, diverged, faults } = JSON.parse(last) as Summary
  if (Object.keys(faults).length === 0) return { kind: 'skipped', says: 'none of its faults can be made here' }
  if (ok) return { kind: 'clean', says: 'nothing was wrong' }
  const what = [...examples, ...(diverged ? ['two states of one index'] : []), ...crashes, ...unrecovered]
  return { kind: 'caught', says: `${anomalies} anomalies: ${what[0] ?? ''}` }
}
