import { connect as connectSocket, createServer, type Socket } from 'node:net'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { agreement, leaderAmong } from '../../bench/agreement.ts'
import { formatHostPort } from '../../src/base/host-port.ts'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { type ClientSession, connect } from '../../src/client/index.ts'
import { compileOnce, realCluster } from './processes.ts'

beforeAll(compileOnce)

const TIMEOUT_MS = 120_000
/** The shortest timeout whose session survives a leader that freezes. */
const SESSION_MS = 3_000

interface Watched {
  readonly session: ClientSession
  /** Why it was lost; empty while it lives. A busy machine may suspend it meanwhile. */
  readonly lost: string[]
}

async function watchedSession(endpoints: readonly string[], name: string): Promise<Watched> {
  const lost: string[] = []
  const session = await connect({
    endpoints,
    principal: `user:${name}`,
    timeoutMs: SESSION_MS,
    onSessionLost: (reason) => lost.push(reason),
  })
  session.on('*', () => undefined)
  onTestFinished(() => void session.detach())
  return { session, lost }
}

/** Whoever leads, as the nodes but for `frozen` say. */
async function memberThatLeads(cluster: LocalCluster, frozen: string | null = null) {
  const asked = cluster.members.filter(({ id }) => id !== frozen).map(({ address }) => formatHostPort(address))
  const { id } = await leaderAmong(asked)
  const member = cluster.members.find((candidate) => candidate.id === id)
  if (member === undefined) throw new Error(`there is no ${id}`)
  return member
}

test(
  'a frozen leader is noticed within an election timeout: no session of 3 s is lost, and commands have definite outcomes',
  async () => {
    const cluster = await realCluster()
    const { endpoints } = cluster
    const [idle, busy] = await Promise.all([watchedSession(endpoints, 'idle'), watchedSession(endpoints, 'busy')])
    const increment = () => busy.session.execute('counter', 'increment', { name: 'frozen' })
    expect(await increment()).toMatchObject({ kind: 'ok', value: 1 })
    const frozen = await memberThatLeads(cluster)
    const pid = cluster.process(frozen.id)?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    expect(await increment()).toMatchObject({ kind: 'ok', value: 2 })
    expect(await memberThatLeads(cluster, frozen.id)).not.toBe(frozen)
    // Both sessions outlive their timeout under the new leader, the idle one by its own keep-alive.
    const end = performance.now() + SESSION_MS * 1.2
    let value = 2
    while (performance.now() < end) {
      value += 1
      expect(await increment()).toMatchObject({ kind: 'ok', value })
    }
    process.kill(pid, 'SIGCONT')
    // The old leader believes for a moment that it still leads.
    expect(await increment()).toMatchObject({ kind: 'ok', value: value + 1 })
    expect(await idle.session.execute('counter', 'increment', { name: 'frozen' })).toMatchObject({ value: value + 2 })
    expect([idle.lost, busy.lost]).toEqual([[], []])
    await agreement(endpoints)
  },
  TIMEOUT_MS,
)

/** Passes a connection on until it is told to swallow everything, which neither end hears of. */
async function swallowingProxy(target: { readonly host: string; readonly port: number }) {
  let swallows = false
  const sockets: Socket[] = []
  const pass = (from: Socket, to: Socket): void => {
    from.on('data', (bytes) => {
      if (!swallows) to.write(bytes)
    })
    from.on('error', () => undefined)
    from.on('close', () => {
      if (!swallows) to.destroy()
    })
  }
  const server = createServer((near) => {
    const far = connectSocket(target.port, target.host)
    sockets.push(near, far)
    pass(near, far)
    pass(far, near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a server without a port')
  return {
    endpoint: `127.0.0.1:${address.port}`,
    swallow: () => {
      swallows = true
    },
  }
}

test(
  'a connection that swallows everything is noticed as well, although the leader lives',
  async () => {
    const cluster = await realCluster({ nodes: 1 })
    const leader = await memberThatLeads(cluster)
    const proxy = await swallowingProxy(leader.address)
    const { session, lost } = await watchedSession([proxy.endpoint, ...cluster.endpoints], 'proxied')
    expect(await session.execute('counter', 'increment', { name: 'x' })).toMatchObject({ kind: 'ok', value: 1 })
    proxy.swallow()
    expect(await session.execute('counter', 'increment', { name: 'x' })).toMatchObject({ kind: 'ok', value: 2 })
    expect(lost).toEqual([])
  },
  TIMEOUT_MS,
)

test(
  'a session of a cluster that is frozen as a whole is told that it is suspended, and that it goes on when the cluster wakes up',
  async () => {
    const cluster = await realCluster({ nodes: 1 })
    const member = await memberThatLeads(cluster)
    const lost: string[] = []
    let suspended = (): void => undefined
    let resumed = (): void => undefined
    const session = await connect({
      endpoints: cluster.endpoints,
      principal: 'user:1',
      timeoutMs: 1000,
      onSessionLost: (reason) => lost.push(reason),
      onSuspended: () => suspended(),
      onResumed: () => resumed(),
    })
    onTestFinished(() => void session.detach())
    const pid = cluster.process(member.id)?.pid ?? 0
    process.kill(pid, 'SIGSTOP')
    await new Promise<void>((resolve) => {
      suspended = resolve
    })
    expect([session.suspended, lost]).toEqual([true, []])
    const goesOn = new Promise<void>((resolve) => {
      resumed = resolve
    })
    process.kill(pid, 'SIGCONT')
    await goesOn
    expect([session.suspended, lost]).toEqual([false, []])
  },
  TIMEOUT_MS,
)
