import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { leaderOf } from '../../bench/agreement.ts'
import { parseHostPort } from '../../src/base/host-port.ts'
import { executablePath } from '../../src/cli/package-root.ts'
import { fetchStatus } from '../../src/client/index.ts'
import { compileOnce, readerOf, realCluster, temporaryDirectory } from './processes.ts'

beforeAll(compileOnce)

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

/** A proxy that takes connections and never answers; it counts them. */
async function recordingProxy() {
  const proxy = { connections: 0, url: '' }
  const server = createServer((socket) => {
    proxy.connections += 1
    socket.on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy listens nowhere')
  proxy.url = `http://127.0.0.1:${address.port}`
  return proxy
}

test('proxy variables touch neither peers nor loopback: nodes elect, status and sessions answer', async () => {
  const proxy = await recordingProxy()
  const names = ['http_proxy', 'https_proxy', 'grpc_proxy', 'all_proxy']
  const environment = Object.fromEntries(
    names.flatMap((name) => [
      [name, proxy.url],
      [name.toUpperCase(), proxy.url],
    ]),
  )
  const cluster = await realCluster({ environment: { ...environment, no_proxy: '', NO_PROXY: '' } })
  await leaderOf(cluster)
  const status = await holdfast(['status', '--endpoints', cluster.endpoints.join(',')], environment)
  expect(status.code).toBe(0)
  const demo = await holdfast(['dev', '--demo-only'], environment)
  expect(demo.code).toBe(0)
  expect(proxy.connections).toBe(0)
})

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
