import { describe, expect, test } from 'vitest'
import { logIndex, type NodeId, nodeId, term } from '../../../src/base/brand.ts'
import { type Configuration, configurationOf } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, preVote, requestVote, Solo, THREE } from '../solo.ts'

const PLAIN = { preVote: false, checkQuorum: false }
const N4 = nodeId('n4')
const FOUR: Configuration = { voters: [N1, N2, N3, N4], learners: [], outgoing: [], promoting: [] }
const TWO: Configuration = { voters: [N1, N2], learners: [], outgoing: [], promoting: [] }

/** Published bugs of other systems in who the members are (docs/testing.md). */
describe('membership', () => {
  test('canonical/raft #250: a configuration that is cut off gives way to the one before, which a snapshot may hold', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(N2, appendEntries({ term: 1, prev: [2, 1], commit: 2 }))
    solo.receive(
      N2,
      appendEntries({ term: 1, prev: [2, 1], entries: [1], configuration: { index: 3, configuration: FOUR } }),
    )
    expect(configurationOf(solo.state)).toEqual(FOUR)
    // The entry of the first configuration is gone from the log; what is uncommitted is no part of the snapshot.
    solo.step({ kind: 'snapshotted', index: logIndex(2) })
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(configurationOf(solo.state)).toEqual(THREE)
  })

  test('scylladb #30936: a truncation that removes two configurations goes back two', () => {
    const solo = new Solo({ log: [1, 1] })
    solo.receive(
      N2,
      appendEntries({ term: 1, prev: [2, 1], entries: [1], configuration: { index: 3, configuration: FOUR } }),
    )
    solo.receive(
      N2,
      appendEntries({ term: 1, prev: [3, 1], entries: [1], configuration: { index: 4, configuration: TWO } }),
    )
    expect(configurationOf(solo.state)).toEqual(TWO)
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(configurationOf(solo.state)).toEqual(THREE)
    expect(solo.state.configurations).toHaveLength(1)
  })

  test('camunda #57393: a member counts by the log that it has, also after that got shorter', () => {
    const solo = new Solo({ log: [1, 1], config: PLAIN })
    solo.receive(
      N2,
      appendEntries({
        term: 1,
        prev: [2, 1],
        entries: [1],
        configuration: { index: 3, configuration: { voters: [N2, N3], learners: [], outgoing: [], promoting: [] } },
      }),
    )
    expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
    solo.receive(N3, appendEntries({ term: 2, prev: [2, 1], entries: [2] }))
    expect(Number.isFinite(solo.wakeAt)).toBe(true)
    solo.timeout()
    expect(solo.state.role.kind).toBe('candidate')
  })

  test('raft-rs #57: a learner that does not know of its promotion gives its vote', () => {
    const solo = new Solo({
      configuration: { voters: [N2, N3], learners: [N1], outgoing: [], promoting: [] },
      config: PLAIN,
    })
    solo.receive(N3, requestVote({ term: 2, last: [2, 1] }))
    expect(solo.sent('requestVoteResponse')[0]?.message.verdict).toEqual({ granted: true })
    solo.receive(N3, preVote({ term: 3, last: [2, 1] }))
    expect(solo.sent('preVoteResponse')[0]?.message.verdict).toEqual({ granted: true })
  })

  test('redpanda #8495: a learner asks nobody for a vote, whatever it misses', () => {
    const solo = new Solo({ configuration: { voters: [N2, N3], learners: [N1], outgoing: [], promoting: [] } })
    expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
    solo.now += 100_000
    solo.step({ kind: 'tick' })
    expect(solo.effects).toEqual([])
    solo.step({ kind: 'campaign' })
    expect(solo.effects).toEqual([])
    expect(solo.state.role.kind).toBe('follower')
  })
})

const sequenceOf = (solo: Solo) => (solo.state.role.kind === 'leader' ? solo.state.role.sequence : 0)

/** n1 leads term 2 over `configuration`, and its no-op, entry 2, is committed. */
function leading(configuration: Configuration = THREE): Solo {
  const solo = new Solo({ config: PLAIN, configuration })
  if (configuration.voters.length > 1) solo.lead()
  else {
    solo.persist()
    solo.persist()
  }
  return acknowledged(solo, configuration.voters)
}

function acknowledged(solo: Solo, ids: readonly NodeId[]): Solo {
  solo.persist()
  const { lastIndex } = solo.state
  for (const id of ids)
    if (id !== N1)
      solo.receive(id, matched({ term: solo.state.currentTerm, sequence: sequenceOf(solo), match: lastIndex }))
  solo.persist()
  return solo
}

function change(solo: Solo, wanted: Partial<Configuration>): string | null {
  const basedOn = solo.state.configurations.at(-1)?.index ?? logIndex(0)
  const effects = solo.step({ kind: 'changeMembership', configuration: { ...THREE, ...wanted }, basedOn })
  for (const effect of effects) if (effect.kind === 'changeRefused') return effect.reason
  return null
}

describe('changes of the members', () => {
  test('openraft #364: a single node does not commit by itself the entry that gives it a peer', () => {
    const solo = leading({ ...THREE, voters: [N1] })
    const before = solo.state.commitIndex
    expect(change(solo, { voters: [N1, N2] })).toBeNull()
    acknowledged(solo, [])
    expect(solo.state.commitIndex).toBe(before)
    acknowledged(solo, [N2])
    expect(solo.state.commitIndex).toBeGreaterThan(before)
  })

  test('redpanda #17675: a second change waits until the first is committed: old voters may know of neither', () => {
    const solo = leading()
    expect(change(solo, { voters: [N1, N2, N3, N4] })).toBeNull()
    expect(change(solo, { voters: [N1, N2, N3, N4, nodeId('n5')] })).toBe('CHANGE_UNDERWAY')
    acknowledged(solo, [N4])
    expect(change(solo, { voters: [N1, N2, N3, N4, nodeId('n5')] })).toBe('CHANGE_UNDERWAY')
  })

  test('copycat #23: a leader takes no change before it has committed an entry of its own term', () => {
    const solo = new Solo({ config: PLAIN }).lead()
    expect(change(solo, { voters: [N1, N2, N3, N4] })).toBe('NOT_READY')
    acknowledged(solo, [N2])
    expect(change(solo, { voters: [N1, N2, N3, N4] })).toBeNull()
  })

  test('etcd #11038: a leader that was removed does not go on heartbeating', () => {
    const solo = leading()
    change(solo, { voters: [N2, N3] })
    acknowledged(solo, [N2, N3])
    acknowledged(solo, [N2, N3])
    expect(solo.state.role.kind).toBe('follower')
    expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
  })

  test('canonical/raft #235: nor does one that is kept without a vote', () => {
    const solo = leading()
    change(solo, { voters: [N2, N3], learners: [N1] })
    acknowledged(solo, [N2, N3])
    acknowledged(solo, [N2, N3])
    expect(solo.state.role.kind).toBe('follower')
  })

  test('camunda #57387: members without a vote make no majority larger', () => {
    const solo = new Solo({ config: PLAIN, configuration: { ...THREE, learners: [N4, nodeId('n5')] } })
    solo.step({ kind: 'campaign' })
    expect(solo.sent('requestVote').map(({ to }) => to)).toEqual([N2, N3])
    solo.persist()
    solo.receive(N2, { kind: 'requestVoteResponse', term: term(2), verdict: { granted: true } })
    expect(solo.state.role.kind).toBe('leader')
    acknowledged(solo, [N2])
    expect(solo.state.commitIndex).toBe(2)
  })

  test('camunda #60086: a joint configuration is left only once it is committed itself', () => {
    const solo = leading()
    solo.step({ kind: 'propose', count: 1, bytes: 1 })
    solo.persist()
    const entry = solo.state.lastIndex
    change(solo, { voters: [N1, N2, N4] })
    solo.persist()
    solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: entry }))
    expect(solo.state.commitIndex).toBe(entry)
    expect(configurationOf(solo.state)?.outgoing).toEqual([N1, N2, N3])
    // So it is by the next leader, which finds it uncommitted.
    const next = new Solo({ config: PLAIN, configuration: { ...THREE, outgoing: [N1, N2, N4] } })
    next.lead()
    acknowledged(next, [N2])
    expect(configurationOf(next.state)?.outgoing).toEqual([])
  })

  test('braft #432: a voter that is going, and alone has the newest log, can be elected', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    cluster.join('n4')
    cluster.change('n1', { voters: [N1, N2, N4] })
    // n3 is told of it, nobody else; then n1 is gone.
    cluster.stabilize(({ to, message }) => to === 'n3' && message.kind === 'appendEntries')
    cluster.packets = []
    cluster.crash('n1')
    cluster.advance(3000)
    // n3 led term 2, concluded the change and left; who follows it has the new members alone.
    const next = cluster.leader()
    expect(next?.state.currentTerm).toBeGreaterThan(2)
    expect(configurationOf(cluster.state(next?.id ?? 'n2'))).toEqual({ ...THREE, voters: [N1, N2, N4] })
    expect(next?.log.map((entry) => entry.term).slice(0, 5)).toEqual([1, 1, 1, 2, 2])
  })
})
