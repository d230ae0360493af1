import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Mutant } from './mutant.ts'
import { plant } from './mutant.ts'

const run = promisify(execFile)

/** Where a simulator is compiled and run. */
export interface SimulatedTrial {
  /** The checkout. */
  readonly root: string
  /** A folder that is not there yet: it takes a copy of the sources. */
  readonly copy: string
  /** Null: the copy stays as it is. */
  readonly mutant: Mutant | null
  readonly search: SeedSearch
}

/** Which seeds are run: those of each turn of `workloads` in their order, from 1 on, until one fails. */
export interface SeedSearch {
  /** One name as often as it comes in a turn. */
  readonly workloads: readonly string[]
  /** Of all workloads together, at most. */
  readonly seeds: number
  /** None begins once so many seconds of a processor have passed: others may use the machine. Absent: however long. */
  readonly seconds?: number
}

/** What came of it. */
export interface SearchOutcome {
  /** `counter seed 3: Violation: …`; null: every seed was clean. */
  readonly failure: string | null
  /** Seeds that were run, the failing one included, and the seconds of a processor that they took. */
  readonly seeds: number
  readonly seconds: number
}

/**
 * The simulator's whole draw, as `npm run sim` has it: of the clusters that count, which are looked at most closely, and of the
 * core alone, whose seeds take a twentieth of the time.
 */
export const SWARM: SeedSearch = { workloads: ['counter', 'core', 'core', 'core'], seeds: 8000, seconds: 60 }

/** Most seconds on the clock for one on a processor; a seed with a bug may not end at all. */
const PATIENCE = 60

/** Compiles a copy with the bug, and runs seeds of it until one breaks an invariant. */
export async function searchSeeds(trial: SimulatedTrial): Promise<SearchOutcome> {
  const { root, copy, mutant, search } = trial
  mkdirSync(copy, { recursive: true })
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true })
  cpSync(join(root, 'package.json'), join(copy, 'package.json'))
  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), ...SOURCES_ONLY }))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  if (mutant !== null) plant(mutant, copy)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, '--noCheck', '-p', 'tsconfig.json', '--declaration', 'false'], { cwd: copy })
  writeFileSync(join(copy, 'seeds.mjs'), SCRIPT)
  const { seconds } = search
  const { stdout } = await run(process.execPath, ['seeds.mjs', JSON.stringify(search)], {
    cwd: copy,
    maxBuffer: 1 << 24,
    timeout: seconds === undefined ? 0 : seconds * 1000 * PATIENCE,
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as SearchOutcome
}

const SOURCES_ONLY = { compilerOptions: { rootDir: '.', outDir: 'dist' }, include: ['src'] }

const SCRIPT = `
import { seedRunner } from './dist/src/cli/seeds/workloads.js'
const { workloads, seeds, seconds = Infinity } = JSON.parse(process.argv[2])
const runners = new Map()
for (const workload of new Set(workloads)) runners.set(workload, await seedRunner({ workload }))
const next = new Map()
const used = (since) => { const { user, system } = process.cpuUsage(since); return (user + system) / 1e6 }
const took = () => Math.round(used(started) * 10) / 10
let [ran, failure] = [0, null]
const started = process.cpuUsage()
while (failure === null && ran < seeds && took() < seconds) {
  const workload = workloads[ran % workloads.length]
  const seed = (next.get(workload) ?? 0) + 1
  next.set(workload, seed)
  ran += 1
  const result = await runners.get(workload)(seed)
  if (result.failure !== null) failure = workload + ' seed ' + seed + ': ' + result.failure.split('\\n')[0]
}
console.log(JSON.stringify({ failure, seeds: ran, seconds: took() }))
`
