import { describe, expect, test } from 'vitest'
import { OWN_MACHINE } from '../../../src/session/own-versions.ts'
import { bareMachine, counterHandlers } from '../../session/bare-machine.ts'
import { Cluster } from '../cluster.ts'
import { openSession, submit } from '../commands.ts'
import { heard } from '../heard.ts'
import { TestClock } from '../test-clock.ts'
import { TestNode } from '../test-node.ts'
import { Told } from '../told.ts'

/** Nodes whose engine fails at the command `deep`. */
class Depths {
  readonly shallow = new Set<string>()

  user(id: string) {
    const overflow = (): never => overflow()
    const machines = [{ name: 'test', versions: [{ version: 1, schema: '', code: 'c' }] }]
    return bareMachine(
      {
        ...counterHandlers,
        deep: (context) => {
          context.state.set('deep', true)
          return this.shallow.has(id) ? overflow() : 'passed'
        },
      },
      { machines },
    )
  }
}

const SMALL = { limits: { snapshotBytes: 3_000 }, segmentBytes: 8_192 }
const ALL = ['n1', 'n2', 'n3']

function clusterOf(depths: Depths, ids: readonly string[] = ALL): Cluster {
  const cluster = new Cluster(SMALL, ids, (id) => ({ user: () => depths.user(id) }))
  for (const node of cluster.nodes) node.start()
  cluster.elect()
  const newest = OWN_MACHINE.versions.length
  cluster.until(() => cluster.nodes.every((node) => node.machine.own.active === newest), 'all have switched')
  return cluster
}

const halts = (node: TestNode) => node.driver.status().halted
const hashes = (cluster: Cluster) => new Set(cluster.nodes.map((node) => node.driver.status().stateHash))

/** All have halted at the command; the index of its entry. */
function stopAll(cluster: Cluster, session: number, requestId = 1): number {
  const sink = submit(cluster.leader, session, requestId, 'deep')
  cluster.until(() => cluster.nodes.every((node) => halts(node)?.code === 'ENGINE_ERROR'), 'all have halted')
  expect(sink.told).toBe('lost')
  cluster.until(() => raftLeader(cluster)?.driver.recovery.stops.common() != null, 'the leader knows it')
  return halts(cluster.node('n1'))?.index ?? 0
}

const raftLeader = (cluster: Cluster) => cluster.running.find((node) => node.driver.role === 'leader')

/** Has it skipped, and waits until all serve. */
function skip(cluster: Cluster, stop: { index: number; part: string }): Told {
  const sink = new Told()
  expect(raftLeader(cluster)?.driver.recovery.skip(stop, sink)).toBeNull()
  return sink
}

describe('an error of the engine inside apply', () => {
  test('halts a sole node where it was, which still holds its log and says at which part', () => {
    const depths = new Depths()
    depths.shallow.add('n1')
    const node = new TestNode({ clock: new TestClock(), user: () => depths.user('n1') }).start()
    const session = openSession(node)
    const events = heard(node)
    const sinks = [submit(node, session, 1), submit(node, session, 2, 'deep'), submit(node, session, 3)]
    node.options.clock.settle()
    expect(sinks.map((sink) => sink.told)).toEqual(['settled', 'lost', 'lost'])
    expect(node.stopped).toEqual([])
    const halted = { code: 'ENGINE_ERROR', index: session + 2, part: 'command' }
    expect(node.driver.status()).toMatchObject({ appliedIndex: session + 1, stateHash: '', halted })
    expect(events.filter(({ kind }) => kind === 'halted')).toHaveLength(1)
    expect(submit(node, session, 4).told).toBe('refused HALTED')
    depths.shallow.clear()
    node.restart()
    node.options.clock.advance(100)
    expect(node.driver.status()).toMatchObject({ halted: null, appliedIndex: session + 4 })
  })

  test('shows nobody the entry that is half applied, also not who waits for the one before it', () => {
    const depths = new Depths()
    depths.shallow.add('n1')
    const node = new TestNode({ clock: new TestClock(), user: () => depths.user('n1') }).start()
    const session = openSession(node)
    const { driver } = node
    const seen: string[] = []
    const sinks = [submit(node, session, 1), submit(node, session, 2, 'deep')]
    driver.waitApplied(session + 1, (reached) => seen.push(`waited ${reached} ${driver.halted?.code}`))
    driver.listen({
      applied: () => undefined,
      batchApplied: () => seen.push(`batch ${driver.machine.readable} ${driver.halted?.code}`),
      roleChanged: () => undefined,
      stopped: () => undefined,
    })
    node.options.clock.settle()
    expect(sinks.map((sink) => sink.told)).toEqual(['settled', 'lost'])
    expect(seen).toEqual(['waited false ENGINE_ERROR'])
  })

  test.each(['follower', 'leader'] as const)('of one %s is healed by the snapshot of another voter', (which) => {
    const depths = new Depths()
    const cluster = clusterOf(depths)
    const session = openSession(cluster.leader)
    const odd = which === 'leader' ? cluster.leader : cluster.followers[0]
    if (odd === undefined) throw new Error('three nodes')
    depths.shallow.add(odd.id)
    submit(cluster.leader, session, 1, 'deep')
    const events = heard(odd)
    cluster.until(() => halts(odd)?.code === 'ENGINE_ERROR', 'it halts')
    cluster.until(() => halts(odd) === null, 'it goes on')
    expect(events.map(({ kind }) => kind)).toContain('snapshotInstalled')
    cluster.elect()
    submit(cluster.leader, session, 2)
    cluster.clock.advance(2000)
    expect(hashes(cluster).size).toBe(1)
    expect(odd.driver.status().snapshotIndex).toBeGreaterThan(session)
  })

  test('of every voter is skipped by an entry: all go on, alike, and its client is told', () => {
    const depths = new Depths()
    for (const id of ALL) depths.shallow.add(id)
    const cluster = clusterOf(depths)
    const session = openSession(cluster.leader)
    submit(cluster.leader, session, 1)
    const index = stopAll(cluster, session, 2)
    const before = raftLeader(cluster)
    const term = before?.driver.raftState.currentTerm
    cluster.clock.advance(5000)
    // Nobody is there who could serve: the leader stays, and can be turned to.
    expect(raftLeader(cluster)?.driver.raftState.currentTerm).toBe(term)
    expect(before?.driver.recovery.checkSkip({ index, part: 'entry' })).toBe('STOPPED_ELSEWHERE')
    const sink = skip(cluster, { index, part: 'command' })
    cluster.until(() => cluster.nodes.every((node) => halts(node) === null), 'all go on')
    cluster.elect()
    expect(sink.told).toBe('settled')
    expect(before?.driver.recovery.checkSkip({ index, part: 'command' })).toBe('ALREADY_SKIPPED')
    const again = submit(cluster.leader, session, 2, 'deep')
    const next = submit(cluster.leader, session, 3)
    cluster.clock.advance(500)
    const details = { machine: 'test', index, reason: 'SKIPPED' }
    expect(again.reply).toMatchObject({ outcome: { kind: 'reject', code: 'MACHINE_ERROR', details }, replayed: true })
    expect(next.reply).toMatchObject({ outcome: { kind: 'value', value: 2 } })
    expect(hashes(cluster).size).toBe(1)
    // Whoever replays the log looks ahead: also a process whose engine would get past it.
    depths.shallow.clear()
    const node = cluster.followers[0] as TestNode
    const hash = node.driver.status().stateHash
    node.restart()
    cluster.until(() => node.driver.status().stateHash === hash, 'it comes to the same')
    for (const each of cluster.nodes) each.machine.checkInvariants()
  })

  test('is not skipped while one voter has not stopped there, which is down or has got past it', () => {
    const depths = new Depths()
    for (const id of ALL) depths.shallow.add(id)
    const cluster = clusterOf(depths)
    const index = stopAll(cluster, openSession(cluster.leader))
    const stop = { index, part: 'command' }
    const leader = raftLeader(cluster) as TestNode
    const [other] = cluster.nodes.filter((node) => node !== leader)
    if (other === undefined) throw new Error('three nodes')
    expect(other.driver.recovery.skip(stop, new Told())).toBe('NOT_LEADER')
    expect(leader.driver.recovery.checkSkip(stop)).toBeNull()
    other.crash()
    cluster.clock.advance(100)
    expect(leader.driver.recovery.skip(stop, new Told())).toBe('NOT_STOPPED')
    // With more stack it gets past, leads, and the others take its state.
    depths.shallow.delete(other.id)
    other.start()
    cluster.until(() => cluster.nodes.every((node) => halts(node) === null), 'all go on')
    cluster.elect()
    cluster.clock.advance(2000)
    expect(hashes(cluster).size).toBe(1)
    expect(leader.driver.recovery.checkSkip(stop)).not.toBeNull()
  })

  test.each([
    ['the empty state', ['n1'], 1],
    ['a snapshot above the first entry of the term', ['n1'], 40],
    ['the snapshots of three', ALL, 40],
  ] as const)(
    'and nobody is told of an older state while the log is applied again, from %s',
    (_name, ids, commands) => {
      const depths = new Depths()
      for (const id of ids) depths.shallow.add(id)
      const cluster = clusterOf(depths, ids)
      const session = openSession(cluster.leader)
      for (let id = 1; id <= commands; id += 1) submit(cluster.leader, session, id)
      cluster.clock.advance(500)
      const index = stopAll(cluster, openSession(cluster.leader, 'late'))
      expect(cluster.node('n1').driver.status().snapshotIndex > 0).toBe(commands > 1)
      const told: { id: string; serves: boolean; leads: boolean; applied: number }[] = []
      for (const { id, driver } of cluster.nodes) {
        const look = (): void => {
          const { halted, replaying, leading, machine } = driver
          const serves = halted === null && !replaying
          if (serves || leading) told.push({ id, serves, leads: leading, applied: machine.appliedIndex })
        }
        driver.listen({ applied: look, batchApplied: look, roleChanged: look, stopped: look, noted: look })
      }
      skip(cluster, { index, part: 'command' })
      cluster.until(() => cluster.nodes.every((node) => halts(node) === null), 'all go on')
      cluster.elect()
      const sink = submit(cluster.leader, session, commands + 1)
      cluster.clock.advance(500)
      expect(sink.told).toBe('settled')
      expect(new Set(told.filter(({ serves }) => serves).map(({ id }) => id)).size).toBe(ids.length)
      expect(told.filter(({ applied }) => applied < index)).toEqual([])
    },
  )

  test('whoever ran what is skipped begins again below it', () => {
    const depths = new Depths()
    for (const id of ALL) depths.shallow.add(id)
    const cluster = clusterOf(depths)
    const session = openSession(cluster.leader)
    const index = stopAll(cluster, session)
    const late = cluster.nodes.find((node) => node !== raftLeader(cluster)) as TestNode
    skip(cluster, { index, part: 'command' })
    cluster.network.isolate(late.id)
    const others = cluster.nodes.filter((node) => node !== late)
    cluster.until(() => others.every((node) => halts(node) === null), 'two go on')
    depths.shallow.clear()
    late.skips = false
    late.restart()
    const events = heard(late, ({ kind }) => {
      if (kind === 'halted') late.skips = true
    })
    cluster.network.heal()
    cluster.until(() => events.some(({ kind }) => kind === 'resumed'), 'it begins again')
    cluster.elect()
    cluster.clock.advance(2000)
    expect(events.filter(({ kind }) => kind === 'halted')).toMatchObject([{ code: 'SKIP_MISSED' }])
    expect(hashes(cluster).size).toBe(1)
  })
})
