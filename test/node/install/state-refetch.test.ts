import { describe, expect, test } from 'vitest'
import { bareMachine, counterHandlers, number } from '../../session/bare-machine.ts'
import { Cluster } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import type { TestNode } from '../test-node.ts'
import { heard } from '../heard.ts'

/** Boundaries every ten commands or so, and a log that goes behind them at once. */
const SMALL = { limits: { snapshotBytes: 2_000 }, segmentBytes: 4_096 }

interface Odd {
  readonly cluster: Cluster
  readonly odd: TestNode
  readonly session: number
  /** By how much the counter of a node goes up, from its next command on. */
  readonly steps: Map<string, number>
}

/** A node whose snapshot holds another state than that of the others, and which has halted for it. */
function withOddSnapshot(names?: readonly string[]): Odd {
  const steps = new Map<string, number>()
  const cluster = new Cluster(SMALL, names, (id) => ({
    user: () => {
      const increment: (typeof counterHandlers)['increment'] = (context) => {
        const next = number(context.state.get('count')) + (steps.get(id) ?? 1)
        context.state.set('count', next)
        return next
      }
      return bareMachine({ ...counterHandlers, increment })
    },
  }))
  for (const node of cluster.nodes) node.start()
  cluster.elect()
  const { leader } = cluster
  const odd = cluster.followers[0] as TestNode
  const session = openSession(leader)
  work({ cluster, session }, 1, 30)
  cluster.clock.advance(500)
  // Nobody hears what it made of them before its snapshot holds it.
  cluster.network.script = (frame) => (frame.body.kind === 'applied' ? null : frame)
  steps.set(odd.id, 2)
  work({ cluster, session }, 31, 30)
  cluster.clock.advance(500)
  cluster.network.script = (frame) => frame
  reconnect(cluster)
  work({ cluster, session }, 61, 1)
  cluster.until(() => odd.driver.halted !== null, 'it is found out')
  return { cluster, odd, session, steps }
}

function work({ cluster, session }: Pick<Odd, 'cluster' | 'session'>, from: number, count: number): void {
  for (let id = from; id < from + count; id += 1) {
    submit(cluster.leader, session, id)
    cluster.clock.settle()
  }
}

function reconnect(cluster: Cluster): void {
  for (const one of cluster.running)
    for (const other of cluster.running) if (one !== other) one.driver.onConnected(other.id)
}

const equal = (left: TestNode, right: TestNode): boolean =>
  left.driver.status().appliedIndex === right.driver.status().appliedIndex &&
  left.machine.stateHash() === right.machine.stateHash()

describe('a node whose snapshot holds another state than the others have', () => {
  test('halts again with the right code, and says how it gets their state', () => {
    const { cluster, odd, steps } = withOddSnapshot()
    steps.clear()
    odd.restart(false)
    reconnect(cluster)
    cluster.until(() => odd.driver.halted !== null, 'it halts again')
    expect(odd.driver.halted?.message).toContain('holdfast recover refetch-state --data')
  })

  test('keeps its log and its vote while it awaits their state, and serves once it is here', () => {
    const { cluster, odd, session, steps } = withOddSnapshot()
    const { lastIndex, currentTerm, votedFor } = odd.driver.raftState
    steps.clear()
    odd.setStateAside(true)
    cluster.network.isolate(odd.id)
    odd.start()
    const events = heard(odd)
    expect(odd.driver.status()).toMatchObject({ halted: { code: 'STATE_AWAITED' }, stateHash: '', owes: null })
    expect(odd.driver.raftState).toMatchObject({ lastIndex, currentTerm, votedFor })
    cluster.network.heal()
    reconnect(cluster)
    cluster.until(() => odd.driver.halted === null && equal(odd, cluster.leader), 'it has their state')
    expect(events.map(({ kind }) => kind)).toContain('resumed')
    expect([odd.awaited, odd.driver.status().pull]).toEqual([null, null])
    odd.machine.checkInvariants()
    const told = submit(cluster.leader, session, 62)
    cluster.until(() => equal(odd, cluster.leader) && told.reply !== null, 'it goes on')
    expect(resultOf(told)).toBe(62)
    // And after a restart, from its own disk.
    odd.restart(false)
    cluster.until(() => odd.driver.halted === null && equal(odd, cluster.leader), 'it begins with that state')
  })

  test('takes it from nobody while no more than one of the two others says what is right', () => {
    const { cluster, odd, steps } = withOddSnapshot()
    const third = cluster.followers.find((node) => node !== odd) as TestNode
    steps.clear()
    odd.setStateAside(true)
    third.crash()
    odd.start()
    reconnect(cluster)
    cluster.clock.advance(10_000)
    expect(odd.driver.halted?.code).toBe('STATE_AWAITED')
    // It counts for a majority all the same.
    expect(cluster.leader.driver.leading).toBe(true)
    third.start()
    reconnect(cluster)
    cluster.until(() => odd.driver.halted === null && equal(odd, cluster.leader), 'both others say it')
  })

  test('takes none of a node that has halted for another state', () => {
    const { cluster, odd } = withOddSnapshot(['n1', 'n2', 'n3', 'n4', 'n5'])
    const right = cluster.followers.find((node) => node !== odd) as TestNode
    right.setStateAside(false)
    for (const { id } of cluster.nodes) if (id !== right.id && id !== odd.id) cluster.network.isolate(id)
    right.start()
    reconnect(cluster)
    cluster.clock.advance(10_000)
    expect(right.driver.halted?.code).toBe('STATE_AWAITED')
    cluster.network.heal()
    reconnect(cluster)
    cluster.elect([odd, right])
    cluster.until(() => right.driver.halted === null && equal(right, cluster.leader), 'it has the state')
    expect(odd.driver.halted?.code).toBe('DIVERGED')
  })

  test('has another one pulled and halts again where its code is still another, without a word of its snapshot', () => {
    const { cluster, odd, session } = withOddSnapshot()
    odd.setStateAside(true)
    odd.start()
    reconnect(cluster)
    cluster.until(() => odd.awaited === null, 'the state is here')
    work({ cluster, session }, 62, 2)
    cluster.until(() => odd.driver.halted?.code === 'DIVERGED', 'it is found out again')
    expect(odd.driver.halted?.message).not.toContain('refetch-state')
  })

  test('does not lead while it awaits their state, and leads after', () => {
    const { cluster, odd, steps } = withOddSnapshot()
    steps.clear()
    odd.setStateAside(true)
    const { leader } = cluster
    leader.crash()
    odd.start()
    reconnect(cluster)
    cluster.clock.advance(5_000)
    expect(cluster.leader).not.toBe(odd)
    leader.start()
    reconnect(cluster)
    cluster.until(() => odd.driver.halted === null && equal(odd, cluster.leader), 'it has their state')
    let outcome: unknown = null
    cluster.leader.driver.transferLeadership(odd.id, (ended) => {
      outcome = ended
    })
    cluster.until(() => outcome !== null && odd.driver.leading, 'it leads')
  })

  test('that dies while it installs begins anew', () => {
    const { cluster, odd, steps } = withOddSnapshot()
    steps.clear()
    odd.setStateAside(true)
    for (let operations = 1; operations <= 4; operations += 1) {
      odd.start()
      odd.holdSnapshots()
      reconnect(cluster)
      cluster.clock.advance(200)
      for (let step = 0; step < operations; step += 1) {
        odd.releaseSnapshot()
        cluster.clock.advance(20)
      }
      odd.crash()
      cluster.clock.advance(50)
    }
    odd.releaseSnapshots()
    odd.start()
    reconnect(cluster)
    cluster.until(() => odd.driver.halted === null && equal(odd, cluster.leader), 'it has their state')
    expect(odd.awaited).toBeNull()
  })
})

test('a node whose snapshot was damaged takes that of any other voter, and keeps its log', () => {
  const cluster = Cluster.started(SMALL)
  const session = openSession(cluster.leader)
  work({ cluster, session }, 1, 60)
  cluster.clock.advance(500)
  const [damaged, down] = cluster.followers as [TestNode, TestNode]
  down.crash()
  const { lastIndex } = damaged.driver.raftState
  damaged.setStateAside(false)
  damaged.start()
  expect(damaged.driver.raftState).toMatchObject({ lastIndex, obligation: null })
  reconnect(cluster)
  cluster.until(() => damaged.driver.halted === null && equal(damaged, cluster.leader), 'it has the state')
})
