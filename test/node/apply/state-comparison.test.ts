import { describe, expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import type { NodeEvent } from '../../../src/node/api.ts'
import { StateComparison } from '../../../src/node/apply/state-comparison.ts'
import { bareMachine, counterHandlers, number } from '../../session/bare-machine.ts'
import { Cluster } from '../cluster.ts'
import { openSession, resultOf, submit } from '../commands.ts'
import { TestClock } from '../test-clock.ts'
import type { TestNode, TestNodeOptions } from '../test-node.ts'

const HEARTBEAT_MS = 50

/** Nodes whose counter may add another number than the others' do, from the next command or the next start on. */
class Mixed {
  readonly cluster: Cluster
  readonly steps = new Map<string, number>()
  readonly told = new Map<string, NodeEvent[]>()

  constructor(options: Partial<TestNodeOptions> = {}, names?: readonly string[]) {
    this.cluster = new Cluster(options, names, (id) => ({
      user: () => {
        const increment: (typeof counterHandlers)['increment'] = (context) => {
          const next = number(context.state.get('count')) + (this.steps.get(id) ?? 1)
          context.state.set('count', next)
          return next
        }
        return bareMachine({ ...counterHandlers, increment })
      },
    }))
    for (const node of this.cluster.nodes) {
      node.start()
      this.listen(node)
    }
    this.cluster.elect()
  }

  listen(node: TestNode): void {
    const events = this.told.get(node.id) ?? []
    this.told.set(node.id, events)
    node.driver.listen({
      applied: () => undefined,
      batchApplied: () => undefined,
      roleChanged: () => undefined,
      stopped: () => undefined,
      noted: (event) => void events.push(event),
    })
  }

  events<Kind extends NodeEvent['kind']>(node: TestNode, kind: Kind): Extract<NodeEvent, { kind: Kind }>[] {
    return (this.told.get(node.id) ?? []).filter((event) => event.kind === kind) as Extract<NodeEvent, { kind: Kind }>[]
  }

  /** The process begins again, and connections are made anew. */
  restart(node: TestNode): void {
    node.restart(false)
    this.listen(node)
    for (const other of this.cluster.running) {
      if (other === node) continue
      other.driver.onConnected(node.id)
      node.driver.onConnected(other.id)
    }
  }
}

const frames = (cluster: Cluster): number => cluster.network.sent.filter(({ body }) => body.kind === 'applied').length

describe('a replica that makes another state of the log', () => {
  test('is told by a majority at the next heartbeats, halts as DIVERGED, and the others go on', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const [odd, other] = cluster.followers
    if (odd === undefined || other === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    cluster.clock.advance(500)
    mixed.steps.set(odd.id, 2)
    submit(leader, session, 1)
    cluster.clock.advance(4 * HEARTBEAT_MS)
    const { halted } = odd.driver.status()
    expect(halted).toMatchObject({ code: 'DIVERGED', index: session + 1 })
    expect(halted?.message).toContain(`at entry ${session} it was still equal`)
    for (const node of [leader, other]) {
      expect(node.driver.status()).toMatchObject({ halted: null, differs: { nodes: [odd.id], index: session + 1 } })
      expect(mixed.events(node, 'stateDiffers')).toHaveLength(1)
    }
    expect(mixed.events(odd, 'halted')).toHaveLength(1)
    const told = submit(leader, session, 2)
    cluster.clock.advance(200)
    expect(resultOf(told)).toBe(2)
    expect(odd.driver.status().appliedIndex).toBe(session + 1)
  })

  test('hands over when it leads, and whoever leads next serves', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const odd = cluster.leader
    const session = openSession(odd)
    mixed.steps.set(odd.id, 2)
    submit(odd, session, 1)
    cluster.until(() => cluster.running.some((node) => node !== odd && node.driver.leading), 'another node leads')
    expect(odd.driver.halted?.code).toBe('DIVERGED')
    const told = submit(cluster.leader, session, 2)
    cluster.clock.advance(200)
    expect(resultOf(told)).toBe(2)
  })

  test('replays with the right code what the others have, and is no difference any more', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const [odd] = cluster.followers
    if (odd === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    mixed.steps.set(odd.id, 2)
    for (const id of [1, 2, 3]) {
      submit(leader, session, id)
      cluster.clock.advance(20)
    }
    cluster.clock.advance(4 * HEARTBEAT_MS)
    expect(odd.driver.halted?.code).toBe('DIVERGED')
    mixed.steps.clear()
    mixed.restart(odd)
    // Also where nothing is applied any more: an idle cluster writes nothing.
    cluster.clock.advance(500)
    expect(odd.driver.status()).toMatchObject({ halted: null, differs: null })
    expect(leader.driver.status().differs).toBeNull()
    submit(leader, session, 4)
    cluster.clock.advance(500)
    expect(odd.driver.status().stateHash).toBe(leader.driver.status().stateHash)
    expect(leader.driver.status().differs).toBeNull()
  })

  test('is found again after a restart although the cluster is at rest', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const [odd] = cluster.followers
    if (odd === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    submit(leader, session, 1)
    cluster.clock.advance(1000)
    odd.replaceTrail()
    mixed.steps.set(odd.id, 2)
    mixed.restart(odd)
    cluster.clock.advance(500)
    expect(odd.driver.halted).toMatchObject({ code: 'DIVERGED', index: session + 1 })
  })

  test('is found while entries follow each other without a pause, by nodes that are not equally far', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const [odd] = cluster.followers
    if (odd === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    mixed.steps.set(odd.id, 2)
    for (let id = 1; id <= 100; id += 1) {
      submit(leader, session, id)
      cluster.clock.advance(2)
    }
    expect(odd.driver.halted?.code).toBe('DIVERGED')
    expect(cluster.nodes.filter((node) => node.driver.halted !== null)).toEqual([odd])
  })

  test('writes no further snapshot, and says that one holds the difference', () => {
    const mixed = new Mixed({ limits: { snapshotBytes: 1 } })
    const { cluster } = mixed
    const { leader } = cluster
    const [odd] = cluster.followers
    if (odd === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    cluster.clock.advance(500)
    mixed.steps.set(odd.id, 2)
    submit(leader, session, 1)
    cluster.clock.advance(500)
    const { halted, snapshotIndex } = odd.driver.status()
    expect(halted?.code).toBe('DIVERGED')
    expect(snapshotIndex).toBe(session + 1)
    expect(halted?.message).toContain(`snapshot at entry ${session + 1}`)
    submit(leader, session, 2)
    cluster.clock.advance(500)
    expect(odd.driver.status().snapshotIndex).toBe(snapshotIndex)
    expect(odd.close()).toBe(true)
  })

  test('is not healed by the right code where a snapshot holds it, and says that after the restart too', () => {
    const mixed = new Mixed({ limits: { snapshotBytes: 1 } })
    const { cluster } = mixed
    const { leader } = cluster
    const [odd, down] = cluster.followers
    if (odd === undefined || down === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    cluster.clock.advance(500)
    down.crash()
    mixed.steps.set(odd.id, 2)
    for (const id of [1, 2, 3]) {
      submit(leader, session, id)
      cluster.clock.advance(500)
    }
    const { snapshotIndex } = odd.driver.status()
    expect(snapshotIndex).toBeGreaterThan(session)
    const says = /snapshot at entry (\d+) .*no build heals it\..*`holdfast recover refetch-state --data`/
    mixed.restart(down)
    cluster.clock.advance(1000)
    expect(says.exec(odd.driver.halted?.message ?? '')?.[1]).toBe(`${snapshotIndex}`)
    mixed.steps.clear()
    mixed.restart(odd)
    cluster.clock.advance(1000)
    expect(odd.driver.halted?.code).toBe('DIVERGED')
    expect(says.exec(odd.driver.halted?.message ?? '')?.[1]).toBe(`${snapshotIndex}`)
  })
})

describe('without a majority', () => {
  test('two voters that differ both say so, and nobody halts', () => {
    const mixed = new Mixed({}, ['n1', 'n2'])
    const { cluster } = mixed
    const { leader } = cluster
    const [odd] = cluster.followers
    if (odd === undefined) throw new Error('two nodes')
    const session = openSession(leader)
    mixed.steps.set(odd.id, 2)
    for (const id of [1, 2, 3]) {
      submit(leader, session, id)
      cluster.clock.advance(500)
    }
    expect(leader.driver.status()).toMatchObject({ halted: null, differs: { nodes: [odd.id], index: session + 1 } })
    expect(odd.driver.status()).toMatchObject({ halted: null, differs: { nodes: [leader.id], index: session + 1 } })
    for (const node of cluster.nodes) expect(mixed.events(node, 'stateDiffers')).toMatchObject([{ decided: false }])
    expect(leader.driver.leading).toBe(true)
  })

  test('three voters that all differ say so, and nobody halts', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const session = openSession(leader)
    mixed.steps.set('n1', 2).set('n2', 3)
    submit(leader, session, 1)
    cluster.clock.advance(1000)
    for (const node of cluster.nodes) {
      const others = cluster.nodes.filter((other) => other !== node).map(({ id }) => id)
      expect(node.driver.status()).toMatchObject({ halted: null, differs: { nodes: others } })
    }
  })

  test('the right code is started on their data one after the other, whoever of them was wrong', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const [second, third] = cluster.followers
    if (second === undefined || third === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    mixed.steps.set(second.id, 2).set(third.id, 3)
    for (const id of [1, 2, 3]) {
      submit(leader, session, id)
      cluster.clock.advance(500)
    }
    // What each has noted of it was taken off its trail: none of them may be held against it.
    mixed.steps.delete(second.id)
    mixed.restart(second)
    cluster.clock.advance(1000)
    expect([leader, second, third].map((node) => node.driver.halted?.code ?? null)).toEqual([null, null, 'DIVERGED'])
    // With a majority they note again, so that a replay with other code is found out before it serves.
    submit(leader, session, 4)
    cluster.clock.advance(1000)
    mixed.steps.set(second.id, 2)
    mixed.restart(second)
    cluster.clock.advance(500)
    expect(second.driver.halted?.code).toBe('REPLAY_DIVERGED')
  })

  test('a voter that is down decides nothing: of three, two that differ go on', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const [odd, down] = cluster.followers
    if (odd === undefined || down === undefined) throw new Error('three nodes')
    const session = openSession(leader)
    down.crash()
    mixed.steps.set(odd.id, 2)
    submit(leader, session, 1)
    cluster.clock.advance(1000)
    expect([leader.driver.halted, odd.driver.halted]).toEqual([null, null])
    expect(leader.driver.status().differs?.nodes).toEqual([odd.id])
    // It comes back, and is the third that decides.
    mixed.restart(down)
    submit(leader, session, 2)
    cluster.clock.advance(1000)
    expect([leader, odd, down].map((node) => node.driver.halted?.code ?? null)).toEqual([null, 'DIVERGED', null])
  })
})

describe('replicas that agree', () => {
  test('tell each other about once per heartbeat while busy, once when at rest, and then nothing', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    const session = openSession(leader)
    cluster.clock.advance(1000)
    const before = frames(cluster)
    for (let id = 1; id <= 100; id += 1) {
      submit(leader, session, id)
      cluster.clock.advance(5)
    }
    const busy = frames(cluster) - before
    expect(busy).toBeGreaterThan(0)
    // Three nodes with two peers each.
    expect(busy).toBeLessThanOrEqual(6 * (500 / HEARTBEAT_MS + 1))
    cluster.clock.advance(1000)
    const rest = frames(cluster)
    // What was reached since the last heartbeat, and where it rests.
    expect(rest - before - busy).toBeLessThanOrEqual(2 * 6)
    const { appliedIndex } = leader.driver.status()
    cluster.clock.advance(10_000)
    // A duty of the leader's is an entry like others.
    const since = leader.driver.status().appliedIndex - appliedIndex
    expect(frames(cluster) - rest).toBeLessThanOrEqual(6 * since)
    expect(since).toBeLessThan(3)
    for (const node of cluster.nodes) {
      expect(node.driver.status()).toMatchObject({ halted: null, differs: null })
      expect(mixed.events(node, 'stateDiffers')).toEqual([])
    }
  })

  test('keep nothing of what a stranger says', () => {
    const comparison = new StateComparison({
      self: nodeId('n1'),
      clock: new TestClock().process(),
      machine: { appliedIndex: 10, stateHash: () => 'own' },
      everyMs: HEARTBEAT_MS,
      voters: () => ['n1', 'n2', 'n3'].map(nodeId),
      replaying: () => false,
      tell: () => undefined,
      differs: () => undefined,
      agreed: () => undefined,
    })
    comparison.hear(nodeId('n9'), { index: 12, hash: 'other' })
    expect(comparison.nextIndex).toBe(64)
    comparison.hear(nodeId('n2'), { index: 12, hash: 'other' })
    expect(comparison.nextIndex).toBe(12)
  })

  test('are not disturbed by a stranger, and a hash far ahead costs nothing', () => {
    const mixed = new Mixed()
    const { cluster } = mixed
    const { leader } = cluster
    openSession(leader)
    cluster.clock.advance(500)
    const sample = cluster.network.sent.find(
      ({ body, recipient }) => body.kind === 'applied' && recipient === leader.id,
    )
    if (sample === undefined || sample.body.kind !== 'applied') throw new Error('a sample was told')
    const far = { ...sample.body, index: Number.MAX_SAFE_INTEGER as typeof sample.body.index }
    leader.driver.onFrame({ ...sample, body: far })
    leader.driver.onFrame({ ...sample, sender: nodeId('n9'), body: { ...sample.body, hashHigh: 1 } })
    openSession(leader, 'b')
    cluster.clock.advance(500)
    expect(leader.driver.status()).toMatchObject({ halted: null, differs: null })
  })
})
