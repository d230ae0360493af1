import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { LeaderKiller } from '../../../bench/leader-killer.ts'
import { packageFacts } from '../../../src/cli/package-root.ts'
import { compileOnce, realCluster, temporaryDirectory } from '../processes.ts'

const TIMEOUT_MS = 170_000
const TIMES = 300
const KILL_AT = [50, 150, 250]
const EXAMPLES = join(packageFacts().root, 'examples')
const PROTOS = join(packageFacts().root, 'proto/holdfast/v1')
/** Where Debian keeps the sources of packages in Go. */
const GO_PACKAGES = '/usr/share/gocode'

const PYTHON = ['/usr/bin/python3', 'python3'].find((python) =>
  runs(python, '-c', 'import grpc, msgpack, google.protobuf'),
)
const HAS_PROTOC = runs('protoc', '--version')
const HAS_GO =
  runs('go', 'version') &&
  runs('protoc-gen-go-grpc', '--version') &&
  ['google.golang.org/grpc', 'github.com/vmihailenco/msgpack/v5'].every((name) =>
    existsSync(join(GO_PACKAGES, 'src', name)),
  )

beforeAll(compileOnce)

function runs(program: string, ...args: string[]): boolean {
  return spawnSync(program, args).status === 0
}

interface Counter {
  readonly program: string
  readonly args: readonly string[]
  readonly environment: { readonly [name: string]: string }
}

/** Skipped where its packages are not installed (examples/python/README.md). */
test.skipIf(PYTHON === undefined || !HAS_PROTOC)(
  'the client in Python counts each command once and hears of each in order while leaders are killed',
  async () => {
    const generated = await temporaryDirectory()
    execFileSync('protoc', ['-I', PROTOS, `--python_out=${generated}`, 'session.proto'])
    const environment = { PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: '1' }
    const said = await countUnderKills({
      program: PYTHON ?? '',
      args: [join(EXAMPLES, 'python/counter.py')],
      environment,
    })
    expect(said).toContain("rejected TOO_BIG {'max': 1000}")
  },
  TIMEOUT_MS,
)

/** Skipped where its packages are not installed (examples/go/README.md). */
test.skipIf(!HAS_GO || !HAS_PROTOC)(
  'the client in Go agrees with the recorded frames, counts each command once and hears of each in order while leaders are killed',
  async () => {
    const path = await temporaryDirectory()
    const environment = { GO111MODULE: 'off', GOFLAGS: '', GOPATH: `${path}:${GO_PACKAGES}` }
    cpSync(join(EXAMPLES, 'go'), join(path, 'src/holdfast'), { recursive: true })
    const out = join(path, 'src')
    execFileSync('protoc', ['-I', PROTOS, `--go_out=${out}`, `--go-grpc_out=${out}`, 'session.proto'])
    for (const program of ['counter', 'checkframes']) {
      const built = join(path, program)
      execFileSync('go', ['build', '-o', built, `holdfast/${program}`], { env: { ...process.env, ...environment } })
    }
    const recorded = join(EXAMPLES, 'recorded-frames.json')
    expect(execFileSync(join(path, 'checkframes'), [recorded], { encoding: 'utf8' })).toMatch(/^\d+ frames up and /)
    const said = await countUnderKills({ program: join(path, 'counter'), args: [], environment: {} })
    expect(said).toContain('rejected TOO_BIG map[max:1000]')
  },
  TIMEOUT_MS,
)

/** What a program said that counts while leaders are killed, once that is found to be right. */
async function countUnderKills({ program, args, environment }: Counter): Promise<readonly string[]> {
  const cluster = await realCluster()
  const killer = new LeaderKiller(cluster)
  onTestFinished(() => killer.close())
  const child = spawn(program, [...args, cluster.endpoints.join(','), 'counted', String(TIMES)], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const said: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    said.push(line)
    if (KILL_AT.some((at) => line === `ok ${at}`)) killer.killLeader()
  }
  expect(await ended).toEqual([0, null])
  await killer.settled()
  expect(killer.kills).toBe(KILL_AT.length)
  const numbers = Array.from({ length: TIMES }, (_, at) => at + 1)
  expect(said.filter((line) => line.startsWith('ok'))).toEqual(numbers.map((number) => `ok ${number}`))
  const heard = said.filter((line) => line.startsWith('heard'))
  // One more is counted once the subscription is closed.
  expect(heard).toEqual([...numbers, TIMES + 1].map((number) => `heard counter.changed ${number}`))
  expect(said).toContain(`reads ${TIMES + 1}`)
  checkSeen(said.filter((line) => line.startsWith('saw')))
  return said
}

/** What a subscriber saw: from 0 to the last count before it left, each once, and where one was left out it is said. */
function checkSeen(lines: readonly string[]): void {
  expect(lines[0]).toBe('saw 0')
  expect(lines.at(-1)).toMatch(new RegExp(`^saw ${TIMES}( compacted)?$`))
  for (const [at, line] of lines.slice(1).entries()) {
    const [before, now] = [lines[at], line].map((each) => Number(each?.split(' ')[1]))
    if (line.endsWith(' compacted')) expect(now).toBeGreaterThan(before ?? 0)
    else expect(now).toBe((before ?? 0) + 1)
  }
  // Each kill cuts it once.
  const compacted = lines.filter((line) => line.endsWith(' compacted'))
  expect(compacted.length).toBeGreaterThan(0)
  expect(compacted.length).toBeLessThanOrEqual(2 * KILL_AT.length)
}
