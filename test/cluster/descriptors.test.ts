import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { executablePath } from '../../src/cli/package-root.ts'
import { connect, fetchStatus } from '../../src/client/index.ts'
import { dialGrpc } from '../../src/client/connection/grpc.ts'
import { compileOnce, temporaryDirectory } from './processes.ts'

beforeAll(compileOnce)

const HOST = '127.0.0.1'
/**
 * A third of it goes to what a node has open by itself. With 160 Node.js cannot even load the product: it opens the modules
 * that one imports side by side.
 */
const DESCRIPTORS = 256

/** A node that may have that many descriptors; `stderr` is what it has said. */
async function scarceNode(): Promise<{ node: ChildProcess; address: string; stderr: string[] }> {
  const [port] = await freePorts(1, HOST)
  const address = `${HOST}:${port}`
  const data = join(await temporaryDirectory(), 'n1')
  const words = ['start', '--id', 'n1', '--peers', `n1=${address}`, '--data', data, '--json']
  const limited = `ulimit -n ${DESCRIPTORS} && exec "$@"`
  const node = spawn('sh', ['-c', limited, 'sh', process.execPath, executablePath(), ...words])
  onTestFinished(() => void node.kill('SIGKILL'))
  const stderr: string[] = []
  node.stderr.on('data', (chunk) => stderr.push(String(chunk)))
  await once(node.stdout, 'data')
  return { node, address, stderr }
}

/** As many connections as nobody should have, held until the test ends or `release`. */
function crowd(address: string, count: number): { settled: Promise<unknown>; release(): void } {
  const held = Array.from({ length: count }, () => connectHttp2(`http://${address}`).on('error', () => undefined))
  const release = (): void => held.forEach((one) => void one.destroy())
  onTestFinished(release)
  const settled = held.map((one) => new Promise((resolve) => one.once('connect', resolve).once('close', resolve)))
  return { settled: Promise.all(settled), release }
}

/** How a client stream ends that is dialled now; `greeted` when the node serves it. */
function dialled(address: string): Promise<string> {
  return new Promise((resolve) => {
    const channel = dialGrpc(address, { onFrame: () => end('greeted'), onClosed: (code) => end(code) })
    const end = (outcome: string): void => {
      resolve(outcome)
      channel.close()
    }
  })
}

describe('a node whose descriptors run out', () => {
  test('refuses connections by their name and goes on: its files, its sessions and its status', async () => {
    const { node, address, stderr } = await scarceNode()
    const session = await connect({ endpoints: [address], principal: 'user:first', deadlineMs: 30_000 })
    const { settled, release } = crowd(address, 4 * DESCRIPTORS)
    await settled
    // Those of the crowd that are to be refused, too, hold their places for half a second.
    await expect.poll(() => dialled(address), { timeout: 30_000 }).toBe('TOO_MANY_CONNECTIONS')
    // More than the first segment holds: the log must make files now.
    for (let number = 0; number < 20; number += 1) {
      expect(
        await session.execute('register', 'write', { key: `k${number}`, value: 'x'.repeat(60_000) }),
      ).toMatchObject({ kind: 'ok' })
    }
    expect(await fetchStatus(address, 10_000)).toMatchObject({ id: 'n1', role: 'leader' })
    expect(node.exitCode).toBe(null)
    expect(stderr.join('')).toContain('"event":"connectionsRefused"')
    release()
    await expect.poll(() => dialled(address), { timeout: 30_000 }).toBe('greeted')
    await session.close()
    const exited = once(node, 'exit')
    node.kill('SIGTERM')
    expect(await exited).toEqual([0, null])
  })
})
