import { beforeAll, expect, test } from 'vitest'
import { leaderOf } from '../../bench/agreement.ts'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { nodeId } from '../../src/base/brand.ts'
import { connect } from '../../src/client/index.ts'
import { post, successOf } from '../http/asking.ts'
import { compileOnce, realCluster } from './processes.ts'

beforeAll(compileOnce)

const TIMEOUT_MS = 180_000
const CALLBACKS = 240
/** Senders at once, each with a callback of its own, to the nodes in turn. */
const SENDERS = 12

/** Where the nodes that run take callbacks. */
function httpOf(cluster: LocalCluster): string[] {
  return cluster.members.flatMap(({ id }) => cluster.process(id)?.httpAddress ?? [])
}

/** Sends as a provider does: again, to the next node, until it is answered 200. */
async function deliver(cluster: LocalCluster, id: string): Promise<void> {
  for (let attempt = Number(id.slice(3)); ; attempt += 1) {
    const addresses = httpOf(cluster)
    const address = addresses[attempt % addresses.length] ?? ''
    const answer = await post(address, '/webhooks/mpesa', successOf(id, 70, `R-${id}`)).catch(() => null)
    if (answer?.status === 200) return
    if (answer !== null) expect(answer.status).toBe(503)
  }
}

/** Transactions whose money the cluster has, and how many it has counted. */
async function kept(cluster: LocalCluster): Promise<{ ids: Set<string>; counted: number }> {
  const admin = await connect({ endpoints: cluster.endpoints, principal: 'admin:a', connectDeadlineMs: 60_000 })
  admin.on('*', () => undefined)
  const asked = async (query: string, input: object): Promise<unknown> => {
    const outcome = await admin.query('payments', query, input as never, { deadlineMs: 60_000 })
    if (outcome.kind !== 'ok') throw new Error(outcome.code)
    return outcome.value
  }
  const ids = new Set<string>()
  for (let after: string | null = ''; after !== null; ) {
    const page = (await asked('suspense', { after })) as { money: { transactionId: string }[]; next: string | null }
    for (const { transactionId } of page.money) ids.add(transactionId)
    after = page.next
  }
  const totals = (await asked('totals', {})) as { callbacks: { UNKNOWN_ATTEMPT: number } }
  await admin.close()
  return { ids, counted: totals.callbacks.UNKNOWN_ATTEMPT }
}

test(
  'every callback that was answered 200 is kept, once, though the leader is killed while they arrive',
  async () => {
    const cluster = await realCluster({ http: true })
    expect(httpOf(cluster)).toHaveLength(3)
    const answered: string[] = []
    let next = 0
    let killed: Promise<void> | null = null
    const send = async (): Promise<void> => {
      while (next < CALLBACKS) {
        const id = `ws-${next++}`
        await deliver(cluster, id)
        answered.push(id)
        if (answered.length > CALLBACKS / 3)
          killed ??= leaderOf(cluster).then((leader) => cluster.kill(nodeId(leader.id)))
      }
    }
    await Promise.all(Array.from({ length: SENDERS }, send))
    await killed
    expect(httpOf(cluster)).toHaveLength(2)
    const { ids, counted } = await kept(cluster)
    expect(answered.filter((id) => !ids.has(id))).toEqual([])
    expect([ids.size, counted]).toEqual([CALLBACKS, CALLBACKS])
  },
  TIMEOUT_MS,
)
