import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/**
 * Planted bugs (faults.md §3): each is an exact source replacement on a copy of the tree, made before it is compiled; the
 * simulator must find every one of them within 300 seeds. A replacement that no longer matches fails its test.
 */
const SEEDS = 300

interface PlantedBug {
  readonly name: string
  readonly file: string
  readonly from: string
  readonly to: string
}

const BUGS: readonly PlantedBug[] = [
  {
    name: 'the vote is not persisted',
    file: 'src/node/propose/log-writes.ts',
    from: 'const hardState = effect.hardState ?? { currentTerm: raft.currentTerm, votedFor: raft.votedFor }',
    to: 'const hardState = { currentTerm: raft.currentTerm, votedFor: null }',
  },
  {
    name: 'duplicates are executed again at apply',
    file: 'src/session/entries/client-request.ts',
    from: 'const cached = cachedResponse(session, requestId) // 6',
    to: 'const cached = requestId < 0 ? cachedResponse(session, requestId) : null // 6',
  },
  {
    name: 'a vote is granted without the up-to-date check',
    file: 'src/raft/check-vote.ts',
    from: 'return request.lastLogIndex >= state.lastIndex',
    to: 'return true',
  },
  {
    name: 'a reply does not wait for its write',
    file: 'src/raft/turn.ts',
    from: 'this.outgoing.push({ to, message, speaksOf: entriesUpTo })',
    to: 'this.outgoing.push({ to, message, speaksOf: entriesUpTo < 0 ? entriesUpTo : null })',
  },
]

const root = new URL('../..', import.meta.url).pathname
const run = promisify(execFile)
let directory = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-planted-'))
})

afterAll(() => {
  rmSync(directory, { recursive: true, force: true })
})

describe('the simulator finds planted bugs', () => {
  test('faults.md §3 the unmutated copy raises no alarm', async () => {
    expect(await firstFailure('unmutated', null, 40)).toBeNull()
  })

  for (const [position, bug] of BUGS.entries()) {
    test(`faults.md §3 found within ${SEEDS} seeds: ${bug.name}`, { timeout: 300_000 }, async () => {
      const failure = await firstFailure(`bug-${position}`, bug, SEEDS)
      expect(failure, 'no seed found the bug').not.toBeNull()
    })
  }
})

/** The first seed of a copy with the bug that breaks an invariant, with its verdict; null when none does. */
async function firstFailure(name: string, bug: PlantedBug | null, seeds: number): Promise<string | null> {
  const copy = join(directory, name)
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true })
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(root, file), join(copy, file))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  if (bug !== null) plant(copy, bug)
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await run(process.execPath, [tsc, '--noCheck', '-p', 'tsconfig.json', '--declaration', 'false'], { cwd: copy })
  writeFileSync(join(copy, 'seeds.mjs'), SCRIPT)
  const { stdout } = await run(process.execPath, ['seeds.mjs', String(seeds)], { cwd: copy, maxBuffer: 1 << 24 })
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return last === 'clean' ? null : last
}

function plant(copy: string, bug: PlantedBug): void {
  const path = join(copy, bug.file)
  const source = readFileSync(path, 'utf8')
  expect(source.split(bug.from).length, `the replacement matches ${bug.file} exactly once`).toBe(2)
  writeFileSync(
    path,
    source.replace(bug.from, () => bug.to),
  )
}

const SCRIPT = `
import { runSeed } from './dist/src/sim/run-seed.js'
let verdict = 'clean'
for (let seed = 1; seed <= Number(process.argv[2]) && verdict === 'clean'; seed += 1) {
  const result = runSeed(seed)
  if (result.failure !== null) verdict = 'seed ' + seed + ': ' + result.failure
}
console.log(verdict.split('\\n')[0])
`
