import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect as connectTcp, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { eventually, leaderOf, statusOf } from '../../bench/agreement.ts'
import { nodeId } from '../../src/base/brand.ts'
import { formatHostPort, parseHostPort } from '../../src/base/host-port.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import { executablePath, packageFacts } from '../../src/cli/package-root.ts'
import { fetchStatus } from '../../src/client/index.ts'
import { compileOnce, readerOf, realCluster, temporaryDirectory } from './processes.ts'

// Compiling, and many processes one after another, take minutes on a busy machine.
const TIMEOUT_MS = 180_000

beforeAll(compileOnce, TIMEOUT_MS)

/** Runs the command line with further environment variables; its exit code and what it printed. */
async function holdfast(words: readonly string[], environment: { readonly [name: string]: string } = {}) {
  const child = spawn(process.execPath, [executablePath(), ...words], { env: { ...process.env, ...environment } })
  onTestFinished(() => void child.kill('SIGKILL'))
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  const [code] = await once(child, 'close')
  return { code, out }
}

/** Takes connections and says nothing, as a process that has frozen does. */
class SilentServer {
  accepted = 0
  open = 0
  address = ''
  private wake = (): void => undefined

  static async listen(): Promise<SilentServer> {
    const silent = new SilentServer()
    const server = createServer((socket) => {
      silent.accepted += 1
      silent.open += 1
      silent.wake()
      socket.on('error', () => undefined).resume()
      socket.on('close', () => {
        silent.open -= 1
        silent.wake()
      })
      onTestFinished(() => void socket.destroy())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const address = server.address()
    if (typeof address !== 'object' || address === null) throw new Error('the server listens nowhere')
    silent.address = formatHostPort({ host: '127.0.0.1', port: address.port })
    return silent
  }

  async until(seen: () => boolean): Promise<void> {
    while (!seen()) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}

test(
  'proxy variables touch neither peers nor loopback: nodes elect, status and sessions answer',
  async () => {
    const proxy = await SilentServer.listen()
    const url = `http://${proxy.address}`
    const names = ['http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy']
    const environment = Object.fromEntries(
      names.flatMap((name) => [
        [name, url],
        [name.toUpperCase(), url],
      ]),
    )
    const cluster = await realCluster({ environment: { ...environment, no_proxy: '', NO_PROXY: '' } })
    await leaderOf(cluster)
    const status = await holdfast(['status', '--endpoints', cluster.endpoints.join(',')], environment)
    expect(status.code).toBe(0)
    const demo = await holdfast(['dev', '--demo-only'], environment)
    expect(demo.code).toBe(0)
    expect(proxy.accepted).toBe(0)
  },
  TIMEOUT_MS,
)

test(
  'nodes that are started at other addresses are found there, by redirects and by each other',
  async () => {
    const directory = await temporaryDirectory()
    const before = await realCluster({ directory })
    await leaderOf(before)
    await before.stop()
    const [port1 = 0, port2 = 0, port3 = 0, elsewhere = 0] = await freePorts(4, '127.0.0.1')
    const peers = (last: number): string => `n1=127.0.0.1:${port1},n2=127.0.0.1:${port2},n3=127.0.0.1:${last}`
    await writeFile(join(directory, 'members'), peers(port3))
    const after = await realCluster({ directory })
    const leader = await leaderOf(after)
    for (const { id, address } of after.members) {
      const endpoint = formatHostPort(address)
      if (id === leader.id) expect(leader.leaderAddress).toBe(endpoint)
      const told = async () => (await statusOf(endpoint))?.leaderAddress === leader.leaderAddress || null
      await eventually('a redirect to where the leader is now', told)
      await (await readerOf([endpoint])).close()
    }
    // One moves alone, and those that were started with its old address find it by what it says of itself.
    await after.kill(nodeId('n3'))
    const moved = await NodeProcess.start({
      id: nodeId('n3'),
      address: `127.0.0.1:${elsewhere}`,
      members: peers(elsewhere),
      dataDirectory: join(directory, 'n3'),
    })
    onTestFinished(() => moved.kill())
    const followed = async () => ((await statusOf(`127.0.0.1:${elsewhere}`))?.leader === null ? null : true)
    await eventually('a leader that reaches the node that has moved', followed)
  },
  TIMEOUT_MS,
)

const hasIpv6 = Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))

test.skipIf(!hasIpv6)(
  'a cluster on IPv6 elects, serves, and is named with brackets everywhere (skipped without ::1)',
  async () => {
    const cluster = await realCluster({ host: '::1' })
    const leader = await leaderOf(cluster)
    expect(leader.leaderAddress).toMatch(/^\[::1\]:\d+$/)
    const session = await readerOf(cluster.endpoints)
    await session.close()
    const status = await holdfast(['status', '--json', '--endpoints', cluster.endpoints.join(',')])
    expect(status.code).toBe(0)
  },
)

test.skipIf(!hasIpv6).each(['[::1]:0', '[::]:0'])(
  'one node listens on %s, and its ready line names where',
  async (listen) => {
    const words = ['start', '--id', 'n1', '--peers', 'n1=[::1]:4790', '--data', await temporaryDirectory()]
    const child = spawn(process.execPath, [executablePath(), ...words, '--listen', listen, '--insecure', '--json'])
    onTestFinished(() => void child.kill('SIGKILL'))
    const [chunk] = await once(child.stdout, 'data')
    const ready = JSON.parse(String(chunk))
    expect(ready.address).toMatch(listen.startsWith('[::1]') ? /^\[::1\]:[1-9]\d*$/ : /^\[::\]:[1-9]\d*$/)
    await fetchStatus(`[::1]:${parseHostPort(ready.address)?.port}`)
  },
)

test('peers that accept and say nothing cost a node no descriptors', async () => {
  const [silent2, silent3] = [await SilentServer.listen(), await SilentServer.listen()]
  const peers = `n1=127.0.0.1:0,n2=${silent2.address},n3=${silent3.address}`
  const words = ['start', '--id', 'n1', '--peers', peers, '--data', await temporaryDirectory(), '--json']
  const child = spawn(process.execPath, [executablePath(), ...words])
  onTestFinished(() => void child.kill('SIGKILL'))
  await silent2.until(() => silent2.accepted >= 4)
  // At most the connection that is being tried; the others are closed as soon as they are given up.
  for (const silent of [silent2, silent3]) await silent.until(() => silent.open <= 1)
})

/** A port whose machine answers no connection: its process has frozen with all the connections waiting that it may have. */
async function deafPort(): Promise<number> {
  const script = `const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => process.send(server.address().port))`
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const [port]: unknown[] = await once(child, 'message')
  child.kill('SIGSTOP')
  for (let waiting = 0; waiting < 4; waiting += 1) {
    const socket = connectTcp(Number(port), '127.0.0.1').on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
  }
  return Number(port)
}

test.each(['takes connections and says nothing', 'answers no connection'])(
  'a connect that is rejected leaves nothing that keeps its process alive: the server %s',
  async (what) => {
    const silent = await SilentServer.listen()
    const endpoint = what.startsWith('takes') ? silent.address : `127.0.0.1:${await deafPort()}`
    const client = new URL('dist/src/client/index.js', `file://${packageFacts().root}/`).href
    const script = `
      import { connect } from ${JSON.stringify(client)}
      const options = { endpoints: ['${endpoint}'], principal: 'user:1', connectDeadlineMs: 300 }
      process.stdout.write(await connect(options).catch((error) => error.code))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let code = ''
    child.stdout.on('data', (chunk: Buffer) => {
      code += chunk.toString()
    })
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(code).toBe('NO_LEADER')
  },
)
