import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { executablePath } from '../../src/cli/package-root.ts'
import { fetchStatus } from '../../src/client/index.ts'
import { compileOnce, temporaryDirectory } from './processes.ts'

beforeAll(compileOnce)

const HOST = '127.0.0.1'

/** Runs a program of this machine until the test ends at the latest. */
function run(program: string, words: readonly string[]): ChildProcess {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

const holdfast = (...words: string[]): ChildProcess => run(process.execPath, [executablePath(), ...words])

async function alone(data: string): Promise<{ words: string[]; address: string }> {
  const [port] = await freePorts(1, HOST)
  const address = `${HOST}:${port}`
  return { address, words: ['start', '--id', 'n1', '--peers', `n1=${address}`, '--data', data, '--json'] }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('a child without its pipe')
  const lines = createInterface({ input: child.stdout })
  const [line] = await once(lines, 'line')
  return String(line)
}

/** A data directory whose identity is a pipe without a writer: a start that reads it hangs until `write`. */
function hangingDirectory(path: string): { until(): Promise<{ write(text: string): Promise<void> }> } {
  mkdirSync(path, { recursive: true })
  const pipe = join(path, 'HOLDFAST.json')
  execFileSync('mkfifo', [pipe])
  return {
    // Opening the writing end waits for the reading one: the process is in the middle of its start.
    until: async () => {
      const end = await open(pipe, 'w')
      const close = async (): Promise<void> => end.close().catch(() => undefined)
      onTestFinished(close)
      return {
        write: async (text) => {
          await end.write(text)
          await close()
        },
      }
    },
  }
}

const IDENTITY = {
  format: 1,
  clusterId: 'c',
  nodeId: 'n1',
  instanceId: '0'.repeat(32),
  incarnation: 0,
  created: new Date(0).toISOString(),
  groups: [0],
  started: false,
}

const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0

function childrenOf(pid: number | undefined): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

/** Resolves when the process is no more; the test's own timeout bounds it. */
async function gone(pid: number): Promise<void> {
  while (existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

describe('a signal ends a server', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    '%s during its start ends it in order: exit code 0, and the directory is let go',
    async (signal) => {
      const data = join(await temporaryDirectory(), 'n1')
      const hanging = hangingDirectory(data)
      const child = holdfast(...(await alone(data)).words)
      const identity = await hanging.until()
      const exited = once(child, 'exit')
      child.kill(signal)
      await identity.write(JSON.stringify(IDENTITY))
      expect(await exited).toEqual([0, null])
      expect(existsSync(join(data, 'LOCK'))).toBe(false)
    },
  )

  test('SIGTERM ends a start that hangs, too', async () => {
    const data = join(await temporaryDirectory(), 'n1')
    const hanging = hangingDirectory(data)
    const child = holdfast(...(await alone(data)).words)
    const words: string[] = []
    child.stderr?.on('data', (chunk) => words.push(String(chunk)))
    await hanging.until()
    const exited = once(child, 'close')
    child.kill('SIGTERM')
    expect(await exited).toEqual([null, 'SIGKILL'])
    expect(words.join('')).toContain('ended as it is')
  })

  test.skipIf(!canUnshare)(
    'SIGTERM during its start ends it as process 1 of a container, where nothing does by default',
    async () => {
      const data = join(await temporaryDirectory(), 'n1')
      const hanging = hangingDirectory(data)
      const { words } = await alone(data)
      const isolated = ['--pid', '--fork', '--mount-proc', '--kill-child', process.execPath, executablePath(), ...words]
      const child = run('unshare', isolated)
      const identity = await hanging.until()
      const [first] = childrenOf(child.pid)
      const exited = once(child, 'exit')
      process.kill(first ?? -1, 'SIGTERM')
      await identity.write(JSON.stringify(IDENTITY))
      expect(await exited).toEqual([0, null])
    },
  )

  test('the end of its parent, however it ends, ends a node of a development cluster that is still starting', async () => {
    const directory = await temporaryDirectory()
    const ports = await freePorts(3, HOST)
    writeFileSync(join(directory, 'members'), ports.map((port, at) => `n${at + 1}=${HOST}:${port}`).join(','))
    const hanging = hangingDirectory(join(directory, 'n2'))
    const parent = holdfast('dev', '--nodes', '3', '--data', directory, '--json')
    const identity = await hanging.until()
    const children = childrenOf(parent.pid)
    for (const pid of children) onTestFinished(() => void spawnSync('kill', ['-9', String(pid)]))
    expect(children).toHaveLength(3)
    parent.kill('SIGKILL')
    await identity.write(JSON.stringify({ ...IDENTITY, nodeId: 'n2' }))
    await Promise.all(children.map(gone))
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('%s while a development cluster starts ends all of it', async (signal) => {
    const directory = await temporaryDirectory()
    const ports = await freePorts(3, HOST)
    writeFileSync(join(directory, 'members'), ports.map((port, at) => `n${at + 1}=${HOST}:${port}`).join(','))
    const hanging = hangingDirectory(join(directory, 'n2'))
    const parent = holdfast('dev', '--nodes', '3', '--data', directory, '--json')
    const identity = await hanging.until()
    const children = childrenOf(parent.pid)
    for (const pid of children) onTestFinished(() => void spawnSync('kill', ['-9', String(pid)]))
    const exited = once(parent, 'exit')
    parent.kill(signal)
    await identity.write(JSON.stringify({ ...IDENTITY, nodeId: 'n2' }))
    expect(await exited).toEqual([0, null])
    await Promise.all(children.map(gone))
  })

  test('a node that its parent stops for a second time is asked only once, and ends in order', async () => {
    const directory = await temporaryDirectory()
    const cluster = await LocalCluster.start({ nodes: 1, directory })
    const node = cluster.process(nodeId('n1'))
    const stopping = node?.stop()
    expect(node?.stop()).toBe(stopping)
    await cluster.stop()
    expect(await node?.exited).toEqual({ code: 0, signal: null })
    expect(existsSync(join(cluster.dataDirectory(nodeId('n1')), 'LOCK'))).toBe(false)
  })

  test('Ctrl-C reaches a node from the terminal and from its parent: it ends in order all the same', async () => {
    const data = join(await temporaryDirectory(), 'n1')
    const child = holdfast(...(await alone(data)).words)
    await firstLine(child)
    const exited = once(child, 'exit')
    child.kill('SIGINT')
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
    expect(existsSync(join(data, 'LOCK'))).toBe(false)
  })
})

describe('a reader that is gone', () => {
  test('of stdout and stderr does not end a node, which ends by SIGTERM as ever', async () => {
    const { words, address } = await alone(join(await temporaryDirectory(), 'n1'))
    const child = holdfast(...words, '--log-level', 'info')
    await firstLine(child)
    child.stdout?.destroy()
    child.stderr?.destroy()
    expect(await fetchStatus(address)).toMatchObject({ id: 'n1' })
    const exited = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })

  test('does not end a development cluster that goes on talking: a node that is killed comes back', async () => {
    const parent = holdfast('dev', '--nodes', '2', '--data', join(await temporaryDirectory(), 'c'), '--json')
    const lines: { pid: number; address: string }[] = []
    for await (const line of createInterface({ input: parent.stdout ?? process.stdin })) {
      lines.push(JSON.parse(line))
      if (lines.length === 2) break
    }
    parent.stdout?.destroy()
    parent.stderr?.destroy()
    const [first] = lines
    process.kill(first?.pid ?? -1, 'SIGKILL')
    await gone(first?.pid ?? -1)
    await answering(first?.address ?? '')
    const exited = once(parent, 'exit')
    parent.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })

  test('does not make a command say that all went well', async () => {
    const child = holdfast('payments', 'generate', '--count', '20000')
    const exited = once(child, 'exit')
    child.stdout?.once('data', () => child.stdout?.destroy())
    expect(await exited).toEqual([1, null])
  })

  test('of stderr does not change how a command ends', async () => {
    const child = holdfast('explain', 'NO_SUCH_CODE')
    child.stderr?.destroy()
    expect(await once(child, 'exit')).toEqual([1, null])
  })
})

async function answering(address: string): Promise<void> {
  for (;;) {
    const status = await fetchStatus(address, 500).catch(() => null)
    if (status !== null) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
