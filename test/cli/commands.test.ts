import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { EXIT } from '../../src/cli/terminal/exit.ts'
import { packageFacts } from '../../src/cli/package-root.ts'
import { rangesOf } from '../../src/cli/seeds/seed-ranges.ts'
import { compileOnce } from '../cluster/processes.ts'

beforeAll(compileOnce)

const running = new Set<ChildProcess>()

afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
})

/** Spawns the compiled command line; killed with the test at the latest. */
function holdfast(words: readonly string[]): ChildProcess {
  const executable = join(packageFacts().root, 'dist/src/cli/main.js')
  const child = spawn(process.execPath, [executable, ...words], { env: { ...process.env, NO_COLOR: '1' } })
  running.add(child)
  child.on('exit', () => running.delete(child))
  return child
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function ended(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    const texts = { out: '', err: '' }
    child.stdout?.on('data', (chunk: Buffer) => {
      texts.out += chunk.toString()
    })
    child.stderr?.on('data', (chunk: Buffer) => {
      texts.err += chunk.toString()
    })
    child.on('close', (code) => resolve({ code, ...texts }))
  })
}

const run = (...words: string[]): Promise<Ended> => ended(holdfast(words))

/** What `status` says once the node answers it within its two seconds, as one without processor time may not at first. */
async function answeredStatus(endpoint: string): Promise<Ended> {
  const status = await run('status', '--endpoints', endpoint, '--json')
  return status.code === EXIT.cannotConnect ? answeredStatus(endpoint) : status
}

function scratch(): string {
  const around = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
  onTestFinished(() => rmSync(around, { recursive: true, force: true }))
  // In a directory of its own: `dev` leaves a note beside the one that it is given.
  const directory = join(around, 'd')
  mkdirSync(directory)
  return directory
}

/** The first `count` lines of a child's stdout, parsed. */
async function jsonLines(child: ChildProcess, count: number): Promise<Record<string, unknown>[]> {
  if (child.stdout === null) throw new Error('a child without its pipe')
  const lines: Record<string, unknown>[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(JSON.parse(line))
    if (lines.length === count) break
  }
  return lines
}

describe('the command line', () => {
  test('in a checkout npx finds it', async () => {
    const child = spawn('npx', ['--no', '--', 'holdfast', '--version'], { cwd: packageFacts().root })
    expect(await ended(child)).toMatchObject({ code: 0, out: `${packageFacts().version}\n` })
  })

  test.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['start', '--id', 'n1'], '--peers: is not given'],
    [['start', '--id', 'n9', '--peers', 'n1=127.0.0.1:1', '--data', 'x'], '--peers: does not name the node n9'],
    [['dev', '--nodes', 'many'], 'It must be a whole number'],
    [['payments', 'generate', '--count', '-1'], 'It must not be negative'],
    [['status', '--endpoints', 'nowhere'], '"nowhere" is not an address'],
  ])('%j is a usage error, exit code 2', async (words, sentence) => {
    const { code, out, err } = await run(...words)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(sentence)
  })

  test('explain prints cause and cure, and refuses what is no code', async () => {
    const known = await run('explain', 'not_leader')
    expect(known.code).toBe(0)
    expect(known.out).toContain('What to do: Send it to the leader')
    expect(await run('explain', 'NO_SUCH_CODE')).toMatchObject({ code: 1, out: '' })
  })

  test('sim prints one JSON object with the fixed keys', async () => {
    const { code, out } = await run('sim', '--seeds', '2', '--json')
    const keys = [
      'seeds',
      'failures',
      'events',
      'simSeconds',
      'wallSeconds',
      'acks',
      'elections',
      'snapshots',
      'installs',
      'twice',
      'failedSeeds',
    ]
    expect(code).toBe(0)
    expect(Object.keys(JSON.parse(out))).toEqual(keys)
  })

  test('sim runs seeds of the core alone, and one in a thousand again in another process', async () => {
    const { code, out } = await run('sim', '--core', '--seed', '999', '--seeds', '2', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ seeds: 2, failures: 0, twice: 1 })
    expect([...rangesOf({ workload: 'core', seeds: 1, seed: 7, minutes: 30 }, () => true)]).toMatchObject([
      { workload: 'core', first: 7, count: 400 },
    ])
  })

  test('sim runs the seeds of all workloads one after the other, or rounds of them until the time is over', async () => {
    const { code, out } = await run('sim', '--workload', 'all', '--seeds', '1', '--seed', '3', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      seeds: 7,
      failures: 0,
      charts: { lost: 0 },
      waits: {},
      board: {},
      schedules: {},
      workload: {},
    })
    const rounds: boolean[] = [false, true]
    const ranges = [...rangesOf({ seeds: 1, seed: 7, minutes: 30 }, () => rounds.shift() ?? true)]
    expect(ranges.map(({ workload, first }) => `${workload} ${first}`)).toEqual([
      ...['counter 7', 'payments 7', 'waits 7', 'board 7', 'schedules 7', 'histories 7', 'charts 7'],
      ...['counter 27', 'payments 27', 'waits 27', 'board 27', 'schedules 27', 'histories 27', 'charts 27'],
    ])
    expect([...rangesOf({ seeds: 5, seed: 2 }, () => false)]).toEqual([{ workload: 'counter', first: 2, count: 5 }])
  })

  test('sim says the same with any number of jobs, but for the wall time', async () => {
    const runs = await Promise.all(
      ['1', '3'].map((jobs) => run('sim', '--seed', '11', '--seeds', '5', '--json', '--jobs', jobs)),
    )
    const [alone, parallel] = runs.map(({ out, err }) => ({ ...JSON.parse(out), wallSeconds: 0, err }))
    expect(parallel).toEqual(alone)
    expect(alone).toMatchObject({ seeds: 5, failures: 0, err: '' })
    expect(await run('sim', '--jobs', '0')).toMatchObject({ code: 2, out: '' })
  })

  test('generate gives equal lines for equal seeds', async () => {
    const [first, second] = await Promise.all(
      [1, 1].map((seed) => run('payments', 'generate', '--count', '700', '--seed', `${seed}`)),
    )
    expect(first?.out.trimEnd().split('\n')).toHaveLength(700)
    expect(second?.out).toBe(first?.out)
  })

  test('a file that is not there and nodes that do not answer have exit codes of their own', async () => {
    expect(await run('payments', 'replay', join(scratch(), 'none'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENOENT'),
    })
    const unused = await freePort()
    expect(await run('status', '--endpoints', `127.0.0.1:${unused}`)).toMatchObject({ code: 3, out: '' })
  })
})

describe('a development server', () => {
  test('the demo holds its own assertions', async () => {
    const { code, err } = await run('dev', '--demo', '--demo-only')
    expect(err).toContain('Demo: all as promised.')
    expect(code).toBe(0)
  })

  test('a port in use is refused with its code, and the data directory is let go', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const data = scratch()
    const { code, err } = await run('dev', '--listen', `127.0.0.1:${port}`, '--data', data)
    taken.close()
    expect(code).toBe(1)
    expect(err).toContain('PORT_IN_USE')
    const again = holdfast(['dev', '--listen', '127.0.0.1:0', '--data', data, '--json'])
    expect(await jsonLines(again, 1)).toMatchObject([{ id: 'n1', dataDirectory: data }])
  })

  test('an address beyond loopback is refused with its code', async () => {
    const { code, err } = await run('dev', '--listen', '0.0.0.0:0', '--data', scratch())
    expect(code).toBe(1)
    expect(err).toContain('NOT_LOOPBACK')
  })

  test('a data directory that is a file is refused with a sentence', async () => {
    const file = join(scratch(), 'file')
    writeFileSync(file, '')
    const { code, err } = await run('dev', '--listen', '127.0.0.1:0', '--data', file)
    expect(code).toBe(1)
    expect(err).toMatch(/^holdfast: .*--data/)
    expect(err).not.toContain('    at ')
  })

  test('one embedded node serves a replay and a status, and ends on SIGTERM with 0', async () => {
    const directory = scratch()
    const server = holdfast(['dev', '--listen', '127.0.0.1:0', '--data', join(directory, 'data'), '--json'])
    const [line] = await jsonLines(server, 1)
    const endpoint = String(line?.['address'])
    const { out } = await run('payments', 'generate', '--count', '150', '--seed', '3')
    writeFileSync(join(directory, 'callbacks'), out)
    const replayed = await run('payments', 'replay', join(directory, 'callbacks'), '--endpoints', endpoint, '--json')
    expect(replayed.err).toMatch(/line \d+: /)
    expect(replayed.code).toBe(0)
    const result = JSON.parse(replayed.out)
    expect(result).toMatchObject({ received: 150, rejected: {}, ignored: 0, orphaned: 0 })
    expect(result.applied + result.replayed + result.malformed).toBe(150)
    expect(result.totals.callbacks.APPLIED).toBe(result.applied)
    expect(await reconciled(directory, endpoint, result.totals.captures.applied.minor)).toEqual([0, 4, 1])
    const status = await answeredStatus(endpoint)
    expect(status.code).toBe(0)
    expect(JSON.parse(status.out)).toMatchObject({ leader: 'n1', canLose: 0, nodes: [{ id: 'n1', health: 'ok' }] })
    const end = ended(server)
    server.kill('SIGTERM')
    expect(await end).toMatchObject({ code: 0 })
  })
})

/**
 * Exit codes of three reconciliations: with the statement that the callbacks in the directory make, with one that has a
 * line more, and with one that cannot be read.
 */
async function reconciled(directory: string, endpoint: string, appliedMinor: number): Promise<number[]> {
  const paid = new Map<string, string>()
  for (const body of readFileSync(join(directory, 'callbacks'), 'utf8').split('\n')) {
    const [, amount] = /"Amount","Value":"?(\d+)/.exec(body) ?? []
    const [, receipt] = /"MpesaReceiptNumber","Value":"(\w+)"/.exec(body) ?? []
    if (amount !== undefined && receipt !== undefined) paid.set(receipt, amount)
  }
  const header = 'Receipt No.,Paid In,Withdrawn'
  const rows = [...paid].map(([receipt, amount]) => `${receipt},"${Number(amount).toLocaleString('en-US')}.00",`)
  const file = join(directory, 'statement.csv')
  const codes: number[] = []
  for (const lines of [rows, [...rows, 'LOST,1.00,'], ['R1,1.2.3,']]) {
    writeFileSync(file, [header, ...lines].join('\n'))
    const { code, out, err } = await run('payments', 'reconcile', file, '--endpoints', endpoint, '--json')
    codes.push(code ?? -1)
    if (code === 1) expect(err).toContain(`${file}:2:4: "1.2.3" is no amount`)
    else expect(JSON.parse(out).received.known.minor).toBe(appliedMinor)
  }
  return codes
}

describe('a development cluster', () => {
  test('three nodes say where they are, one that is killed comes back, and SIGINT ends all', async () => {
    const cluster = holdfast(['dev', '--nodes', '3', '--data', join(scratch(), 'cluster'), '--json'])
    const lines: { id: string; pid: number; address: string }[] = []
    const pids = await new Promise<number[]>((resolve) => {
      createInterface({ input: cluster.stdout ?? process.stdin }).on('line', (line) => {
        lines.push(JSON.parse(line))
        if (lines.length === 3) process.kill(lines[1]?.pid ?? 0, 'SIGKILL')
        if (lines.length === 4) resolve(lines.map((node) => node.pid))
      })
    })
    expect(lines[3]).toMatchObject({ id: lines[1]?.id, address: lines[1]?.address })
    expect(new Set(pids).size).toBe(4)
    const end = once(cluster, 'exit')
    cluster.kill('SIGINT')
    expect(await end).toEqual([0, null])
    expect(pids.filter(isAlive)).toEqual([])
  })
})

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
