import { describe, expect, test } from 'vitest'
import { logIndex, term } from '../../../src/base/brand.ts'
import type { Effect, Message } from '../../../src/raft/index.ts'
import { Cluster } from '../cluster.ts'
import { appendEntries, matched, N1, N2, N3, Solo, THREE } from '../solo.ts'

const NOW: Message = { kind: 'timeoutNow', term: term(1) }

const sequenceOf = (solo: Solo) => (solo.state.role.kind === 'leader' ? solo.state.role.sequence : 0)
const outcomes = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'transferEnded' ? [effect.outcome] : []))
const refusals = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.kind === 'refused' ? [effect.reason] : []))

/** n1 leads term 2; n2 has everything it has. */
function leading(): Solo {
  const solo = new Solo().lead()
  solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
  return solo
}

/** Published bugs of other systems in how leadership is handed over (docs/testing.md). */
describe('transfer', () => {
  test('canonical/raft #203: the target campaigns at once, and a heartbeat of the old leader does not stop it', () => {
    const solo = new Solo()
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    solo.receive(N2, NOW)
    expect(solo.state).toMatchObject({ currentTerm: 2, role: { kind: 'candidate' } })
    expect(solo.sent('requestVote').map(({ message }) => message.transfer)).toEqual([true, true])
    solo.receive(N2, appendEntries({ term: 1, prev: [1, 1], sequence: 2 }))
    expect(solo.state.role.kind).toBe('candidate')
  })

  test('openraft #2088: a transfer that does not come about ends, and the leader takes writes again', () => {
    const solo = leading()
    solo.timeout()
    solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
    solo.receive(N3, matched({ term: 2, sequence: sequenceOf(solo), match: 1 }))
    solo.step({ kind: 'transfer', to: N3 })
    const began = solo.now
    const ended: string[] = []
    for (let beat = 0; beat < 40 && ended.length === 0; beat += 1) {
      ended.push(...outcomes(solo.timeout()))
      solo.receive(N2, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
    }
    expect(ended).toEqual(['timedOut'])
    expect(solo.now - began).toBeLessThanOrEqual(600)
    expect(refusals(solo.step({ kind: 'propose', count: 1, bytes: 1 }))).toEqual([])
  })

  test('hashicorp/raft #581: writes that come during a transfer are refused, and do not run away from the target', () => {
    const solo = leading()
    solo.receive(N3, matched({ term: 2, sequence: sequenceOf(solo), match: 2 }))
    solo.step({ kind: 'transfer', to: N2 })
    expect(solo.sent('timeoutNow').map(({ to }) => to)).toEqual([N2])
    expect(refusals(solo.step({ kind: 'propose', count: 1, bytes: 1 }))).toEqual(['TRANSFERRING'])
    expect(solo.state.lastIndex).toBe(2)
  })

  test('NuRaft #553: a learner is not handed the leadership, and does not take it', () => {
    const learner = new Solo({ configuration: { ...THREE, voters: [N2, N3], learners: [N1] } })
    learner.receive(N2, appendEntries({ term: 1, prev: [1, 1] }))
    learner.receive(N2, NOW)
    expect(learner.state.role.kind).toBe('follower')
    const leader = new Solo({ configuration: { ...THREE, voters: [N1, N2], learners: [N3] } }).lead()
    leader.receive(N2, matched({ term: 2, sequence: sequenceOf(leader), match: 2 }))
    expect(outcomes(leader.step({ kind: 'transfer', to: N3 }))).toEqual(['notVoter'])
  })

  test.each(['follower', 'candidate'] as const)(
    'hashicorp/raft #413: a %s answers at once that it does not lead',
    (role) => {
      const solo = new Solo({ config: { preVote: false } })
      if (role === 'candidate') solo.step({ kind: 'campaign' })
      expect(outcomes(solo.step({ kind: 'transfer', to: N2 }))).toEqual(['notLeader'])
    },
  )

  test('etcd #11326: a target cannot lose its vote meanwhile, and the leader is not held up by it', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    cluster.advance(100)
    cluster.cut('n1', 'n3')
    cluster.propose('n1')
    cluster.stabilize()
    cluster.step('n1', { kind: 'transfer', to: N3 })
    const refused = cluster.step('n1', {
      kind: 'changeMembership',
      configuration: { ...THREE, voters: [N1, N2], learners: [N3] },
      basedOn: logIndex(1),
    })
    expect(refused).toEqual([{ kind: 'changeRefused', reason: 'NOT_READY', leader: N1 }])
    cluster.stabilize()
    cluster.advance(700)
    expect(cluster.leader()?.id).toBe(N1)
    const before = cluster.safety.committedCount
    cluster.propose('n1')
    cluster.stabilize()
    expect(cluster.safety.committedCount).toBe(before + 1)
  })
})

/** A leader whose disk does not come back. */
describe('disks that hang', () => {
  test('hashicorp/raft #503: a leader whose disk hangs makes way for one that can write', () => {
    const cluster = new Cluster(['n1', 'n2', 'n3'])
    cluster.start()
    cluster.step('n1', { kind: 'campaign' })
    cluster.stabilize()
    cluster.advance(100)
    cluster.node('n1').diskHeld = true
    cluster.step('n1', { kind: 'stalled', stalled: true })
    cluster.advance(2400)
    expect([N2, N3]).toContain(cluster.leader()?.id)
    const before = cluster.safety.committedCount
    cluster.propose(cluster.leader()?.id ?? 'n1')
    cluster.stabilize()
    expect(cluster.safety.committedCount).toBeGreaterThan(before)
  })

  test('hashicorp/raft #666: its heartbeats end, also where it can reach nobody to hand over to', () => {
    const solo = new Solo().lead()
    solo.now += 301
    solo.step({ kind: 'stalled', stalled: true })
    expect(solo.state.role.kind).toBe('follower')
    const handing = leading()
    handing.step({ kind: 'stalled', stalled: true })
    for (let beat = 0; beat < 10; beat += 1) {
      handing.timeout()
      expect(handing.sent('appendEntries')).toEqual([])
    }
    expect(handing.state.role.kind).toBe('follower')
  })

  test('hashicorp/raft #614: a node that cannot write does not campaign again and again', () => {
    const solo = new Solo()
    solo.step({ kind: 'stalled', stalled: true })
    for (let timeout = 0; timeout < 10; timeout += 1) {
      expect(solo.timeout()).toEqual([])
      expect(solo.state.role.kind).toBe('follower')
    }
    solo.step({ kind: 'stalled', stalled: false })
    solo.timeout()
    expect(solo.state.role.kind).toBe('preCandidate')
  })
})
