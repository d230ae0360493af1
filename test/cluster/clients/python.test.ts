import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { LeaderKiller } from '../../../bench/leader-killer.ts'
import { packageFacts } from '../../../src/cli/package-root.ts'
import { compileOnce, realCluster, temporaryDirectory } from '../processes.ts'

const PYTHON = ['/usr/bin/python3', 'python3'].find(
  (python) => spawnSync(python, ['-c', 'import grpc, msgpack, google.protobuf']).status === 0,
)
const HAS_PROTOC = spawnSync('protoc', ['--version']).status === 0
const TIMES = 300
const KILL_AT = [50, 150, 250]

beforeAll(compileOnce)

/** Skipped where its packages are not installed (examples/python/README.md). */
test.skipIf(PYTHON === undefined || !HAS_PROTOC)(
  'the client in Python counts each command once and hears of each in order while leaders are killed',
  async () => {
    const cluster = await realCluster()
    const { root } = packageFacts()
    const generated = await temporaryDirectory()
    execFileSync('protoc', ['-I', join(root, 'proto/holdfast/v1'), `--python_out=${generated}`, 'session.proto'])
    const killer = new LeaderKiller(cluster)
    onTestFinished(() => killer.close())
    const child = spawn(
      PYTHON ?? '',
      [join(root, 'examples/python/counter.py'), cluster.endpoints.join(','), 'python', String(TIMES)],
      {
        env: { ...process.env, PYTHONPATH: generated, PYTHONDONTWRITEBYTECODE: '1' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
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
    expect(said.filter((line) => line.startsWith('heard'))).toEqual(
      numbers.map((number) => `heard counter.changed ${number}`),
    )
    expect(said.slice(-2).join(', ')).toContain(`reads ${TIMES}`)
    expect(said).toContain("rejected TOO_BIG {'max': 1000}")
  },
  170_000,
)
