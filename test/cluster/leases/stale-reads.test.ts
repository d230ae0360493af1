import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { agreement, eventually, leaderAmong, leaderOf, statusOf } from '../../../bench/agreement.ts'
import { GatedCluster } from '../../../bench/gated/gated-cluster.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { type ClientSession, connect } from '../../../src/client/index.ts'
import { compileOnce, realCluster, temporaryDirectory } from '../processes.ts'
import { ReadWatch } from './read-watch.ts'

// Many processes start one after another, which takes minutes on a busy machine.
const TIMEOUT_MS = 300_000

beforeAll(compileOnce, TIMEOUT_MS)

const WITH_LEASES = { HOLDFAST_LEASES: 'true' }
const WATCHES = 4
const FAULTS = 6
const CUTS = 4
/** Longer than any of these tests runs. */
const DEADLINE_MS = 300_000

async function sessionAt(endpoints: readonly string[], name: string): Promise<ClientSession> {
  const patience = { deadlineMs: DEADLINE_MS, connectDeadlineMs: 60_000, timeoutMs: DEADLINE_MS }
  const session = await connect({ endpoints, principal: `user:${name}`, ...patience })
  onTestFinished(async () => void (await session.close()))
  return session.on('*', () => undefined)
}

function inForce(endpoints: readonly string[]): Promise<true> {
  return eventually('leases in force', async () => {
    const known = await Promise.all(endpoints.map(statusOf))
    return known.every((status) => status !== null && status.leaseMs > 0) ? true : null
  })
}

/** It follows the leader of its day. */
function follows(endpoint: string): Promise<true> {
  return eventually('the node follows', async () => {
    const status = await statusOf(endpoint)
    return status?.role === 'follower' && status.leader !== null ? true : null
  })
}

/** What several of them see. */
async function more(watches: readonly ReadWatch[]): Promise<void> {
  await Promise.all(watches.map((watch) => watch.more({ writes: 50, reads: 50 })))
  expect(watches.flatMap(({ problems }) => problems)).toEqual([])
}

async function expectLast(watch: ReadWatch, reader: ClientSession): Promise<void> {
  const last = await watch.stop()
  expect(watch.problems).toEqual([])
  expect(await reader.execute('register', 'read', { key: watch.key })).toMatchObject({
    kind: 'ok',
    value: String(last),
  })
}

test(
  'with leases no read is stale and no write is lost, whoever leads is killed or stopped',
  async () => {
    const cluster = await realCluster({ environment: WITH_LEASES })
    const { endpoints } = cluster
    await inForce(endpoints)
    const watches = Array.from({ length: WATCHES }, (_, at) => new ReadWatch(`watched-${at}`))
    for (const watch of watches) {
      watch.writeBy(await sessionAt(endpoints, `writer-${watch.key}`))
      watch.readBy(await sessionAt(endpoints, `reader-${watch.key}`))
    }
    for (let fault = 0; fault < FAULTS; fault += 1) {
      await more(watches)
      const leader = nodeId((await leaderOf(cluster)).id)
      const at = cluster.members.findIndex(({ id }) => id === leader)
      const others = endpoints.filter((_, other) => other !== at)
      const pid = cluster.process(leader)?.pid ?? 0
      if (fault % 2 === 0) await cluster.kill(leader)
      else process.kill(pid, 'SIGSTOP')
      await leaderAmong(others)
      await more(watches)
      if (fault % 2 === 0) await cluster.startNode(leader)
      else process.kill(pid, 'SIGCONT')
      await follows(endpoints[at] ?? '')
    }
    await eventually('a lease is held', async () => ((await leaderOf(cluster)).leaseHeld ? true : null))
    const reader = await sessionAt(endpoints, 'reader')
    for (const watch of watches) await expectLast(watch, reader)
    await agreement(endpoints)
  },
  TIMEOUT_MS,
)

test(
  'a leader that is cut off from the others, and not from those who read, shows nothing that is older than their writes',
  async () => {
    const cluster = await GatedCluster.start({ directory: await temporaryDirectory(), environment: WITH_LEASES })
    onTestFinished(() => cluster.stop())
    const { endpoints } = cluster
    await inForce(endpoints)
    const watch = new ReadWatch('watched')
    // It finds the next leader as soon as there is one, for its way to the one before is cut too.
    const writer = await sessionAt(cluster.gates, 'writer')
    watch.writeBy(writer)
    for (let cut = 0; cut < CUTS; cut += 1) {
      const { id, term } = await leaderAmong(endpoints)
      const at = cluster.placeOf(id)
      const address = endpoints[at] ?? ''
      const readers = await Promise.all([0, 1, 2].map((reader) => sessionAt([address], `reader-${cut}-${reader}`)))
      for (const reader of readers) watch.readBy(reader)
      await watch.more({ writes: 50, reads: 50 })
      await cluster.cut(at)
      await watch.more({ writes: 50, reads: 0 })
      expect(watch.problems).toEqual([])
      expect((await leaderAmong(endpoints)).term).toBeGreaterThan(term)
      await cluster.heal(at)
      await follows(address)
      await Promise.all(readers.map((reader) => reader.close()))
    }
    await expectLast(watch, writer)
    await agreement(endpoints)
    expect(cluster.crashes).toEqual([])
  },
  TIMEOUT_MS,
)
