import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { plant } from './mutant.ts'
import type { Mutant } from './mutant.ts'

const run = promisify(execFile)

/** Where a simulator is compiled and run. */
export interface SimulatedTrial {
  /** The checkout. */
  readonly root: string
  /** A folder that is not there yet: it takes a copy of the sources. */
  readonly copy: string
  /** Null: the copy stays as it is. */
  readonly mutant: Mutant | null
  readonly seeds: number
}

/** The first seed of a copy with the bug that breaks an invariant, with its verdict; null when none does. */
export async function firstFailingSeed(trial: SimulatedTrial): Promise<string | null> {
  const { root, copy, mutant, seeds } = trial
  mkdirSync(copy, { recursive: true })
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), ...SOURCES_ONLY }))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  if (mutant !== null) plant(mutant, copy)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, '--noCheck', '-p', 'tsconfig.json', '--declaration', 'false'], { cwd: copy })
  writeFileSync(join(copy, 'seeds.mjs'), SCRIPT)
  const workload = mutant?.caughtBy.kind === 'simulator' ? (mutant.caughtBy.workload ?? 'counter') : 'counter'
  const { stdout } = await run(process.execPath, ['seeds.mjs', String(seeds), workload], {
    cwd: copy,
    maxBuffer: 1 << 24,
  })
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return last === 'clean' ? null : last
}

const SOURCES_ONLY = { compilerOptions: { rootDir: '.', outDir: 'dist' }, include: ['src'] }

const SCRIPT = `
import { seedRunner } from './dist/src/cli/seeds/workloads.js'
const run = await seedRunner({ workload: process.argv[3] })
let verdict = 'clean'
for (let seed = 1; seed <= Number(process.argv[2]) && verdict === 'clean'; seed += 1) {
  const result = await run(seed)
  if (result.failure !== null) verdict = 'seed ' + seed + ': ' + result.failure
}
console.log(verdict.split('\\n')[0])
`
