import { beforeAll, expect, test } from 'vitest'
import { agreement, eventually, leaderOf } from '../../../bench/agreement.ts'
import { nodeId } from '../../../src/base/brand.ts'
import { OperatorError } from '../../../src/client/operator/ask-leader.ts'
import { fetchDeadLetters, moveDeadLetters } from '../../../src/client/operator/dead-letters.ts'
import { changeLimits, fetchLimits } from '../../../src/client/operator/limits.ts'
import { evictSession } from '../../../src/client/operator/sessions.ts'
import { connect } from '../../../src/client/index.ts'
import type { LocalCluster } from '../../../src/cli/cluster/local-cluster.ts'
import { counter } from '../../../src/machines/index.ts'
import { compileOnce, realCluster } from '../processes.ts'

beforeAll(compileOnce)

/** Some seconds on an idle machine; where processors are busy, a process that starts takes half a minute. */
const TIMEOUT_MS = 300_000

/** Of the requests that nobody acknowledges each dies after a fifth of a second, one after the other. */
const LIMITS = 'attemptsMax=1,ackTimeoutMs=200,ackTimeoutMaxMs=200'
const LETTERS = 5

/** As a person would: the same again while nobody leads. */
function persisting<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
  return eventually(what, () =>
    call().catch((error) => {
      if (error instanceof OperatorError && ['NO_LEADER', 'NO_QUORUM', 'TRANSFERRING'].includes(error.code)) return null
      throw error
    }),
  )
}

function deadLetters(endpoints: readonly string[]) {
  return persisting('dead letters are told', () => fetchDeadLetters(endpoints, { limit: 100 }))
}

/** Does it while whoever leads is killed, and starts that node again. */
async function underKill<Answer>(cluster: LocalCluster, what: string, call: () => Promise<Answer>): Promise<Answer> {
  const { id } = await leaderOf(cluster)
  const [answer] = await Promise.all([persisting(what, call), cluster.kill(nodeId(id))])
  await cluster.startNode(nodeId(id))
  return answer
}

test(
  'what operators do is done once, though the leader is killed while they do it',
  async () => {
    const cluster = await realCluster({ environment: { HOLDFAST_LIMITS: LIMITS } })
    const endpoints = [...cluster.endpoints]
    const lost: string[] = []
    const options = {
      endpoints,
      principal: 'user:ada',
      machines: [counter],
      timeoutMs: 120_000,
      connectDeadlineMs: 60_000,
      deadlineMs: 120_000,
    }
    const before = await connect({ ...options, onUnhandledRequest: () => undefined })
    const { id } = before
    for (let by = 1; by <= LETTERS; by += 1)
      expect((await before.machines.counter.increment({ name: 'visits', by: 1 })).kind).toBe('ok')
    const dead = await eventually('all of them are dead', async () => {
      const { letters } = await deadLetters(endpoints)
      return letters.length === LETTERS ? letters : null
    })
    const resume = before.detach()
    if (resume === null) throw new Error('the session was opened')

    // Patient from here on. A change is one of one state of the limits, whoever leads.
    const changes = { ackTimeoutMs: 60_000, ackTimeoutMaxMs: 60_000 }
    const changedAt = await underKill(cluster, 'limits', () => changeLimits(endpoints, { changes, basedOn: 0 }))
    const now = await persisting('limits are told', () => fetchLimits(endpoints))
    expect(now).toMatchObject({ index: changedAt, limits: { ...changes, attemptsMax: 1 } })
    const other = persisting('limits', () => changeLimits(endpoints, { changes: { sessionsMax: 9 }, basedOn: 0 }))
    await expect(other).rejects.toMatchObject({ code: 'LIMITS_CHANGED' })

    const seen: number[] = []
    const session = await connect({ ...options, resume, onSessionLost: (reason) => lost.push(reason) })
    session.on('counter.changed', ({ payload }) => void seen.push(payload.value))
    const letters = dead.map(({ letter }) => letter)
    const moved = await underKill(cluster, 'redrive', () => moveDeadLetters(endpoints, { move: 'redrive', letters }))
    // Where the answer was lost with the leader, they were moved by the entry all the same, and that is said.
    for (const { outcome } of moved) expect(['redriven', 'wasRedriven']).toContain(outcome)
    await persisting('redrive', () => moveDeadLetters(endpoints, { move: 'redrive', letters }))
    await eventually('all were handled', async () => (seen.length >= LETTERS ? seen : null))
    expect((await session.machines.counter.increment({ name: 'visits', by: 1 })).kind).toBe('ok')
    await eventually('what came after them', async () => (seen.includes(LETTERS + 1) ? seen : null))
    expect(seen).toEqual(Array.from({ length: LETTERS + 1 }, (_, at) => at + 1))
    expect((await deadLetters(endpoints)).letters).toEqual([])

    const eviction = await underKill(cluster, 'expire', () => evictSession(endpoints, { id, note: 'stolen' }))
    expect(eviction.ended).toBe('expired')
    await eventually('the client is told', async () => (lost.length > 0 ? lost : null))
    expect(lost).toEqual(['SESSION_EXPIRED'])
    expect(await persisting('expire', () => evictSession(endpoints, { id, note: '' }))).toMatchObject({ now: false })
    await agreement(endpoints, (await leaderOf(cluster)).appliedIndex)
  },
  TIMEOUT_MS,
)
