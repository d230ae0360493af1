import { expect, test } from 'vitest'
import { logIndex, type NodeId, nodeId } from '../../src/base/brand.ts'
import { type Configuration, type Effect, type RaftEvent, role } from '../../src/raft/index.ts'
import { matched, N1, N2, N3, Solo } from './solo.ts'

const N4 = nodeId('n4')
const WITH_LEARNER: Configuration = { voters: [N1, N2, N3], learners: [N4], outgoing: [], promoting: [] }
const TWO: Configuration = { voters: [N1, N2], learners: [], outgoing: [], promoting: [] }

function change(configuration: Configuration, basedOn: number): RaftEvent {
  return { kind: 'changeMembership', configuration, basedOn: logIndex(basedOn) }
}

function refusal(effects: readonly Effect[]): string | null {
  for (const effect of effects) if (effect.kind === 'changeRefused') return effect.reason
  return null
}

/** n1 leads, and n2 has everything it has. */
function leader(): Solo {
  const solo = new Solo({ log: [1] }).lead()
  return acknowledged(solo)
}

/** These hold the leader's whole log. */
function acknowledged(solo: Solo, ids: readonly NodeId[] = [N2]): Solo {
  solo.persist()
  const { role: leading, currentTerm, lastIndex } = solo.state
  const sequence = leading.kind === 'leader' ? leading.sequence : 0
  for (const id of ids) solo.receive(id, matched({ term: currentTerm, sequence, match: lastIndex }))
  solo.persist()
  return solo
}

test('a change is refused by whoever does not lead', () => {
  expect(refusal(new Solo({ log: [1] }).step(change(TWO, 1)))).toBe('NOT_LEADER')
})

test('a change is refused before the leader has committed an entry of its own term', () => {
  const solo = new Solo({ log: [1] }).lead()
  expect(refusal(solo.step(change(TWO, 1)))).toBe('NOT_READY')
  acknowledged(solo)
  expect(refusal(solo.step(change(TWO, 1)))).toBeNull()
})

test('a change is refused while another one is under way, until the joint configuration is left', () => {
  const solo = leader()
  solo.step(change(TWO, 1))
  expect(refusal(solo.step(change(TWO, 1)))).toBe('CHANGE_UNDERWAY')
  acknowledged(solo)
  expect(solo.state.configurations.at(-1)?.configuration).toEqual(TWO)
  expect(refusal(solo.step(change(TWO, solo.state.lastIndex)))).toBe('CHANGE_UNDERWAY')
  acknowledged(solo)
  expect(refusal(solo.step(change(TWO, solo.state.lastIndex)))).toBeNull()
})

test('a change that was made of an older configuration is refused', () => {
  const solo = leader()
  solo.step(change(WITH_LEARNER, 1))
  acknowledged(solo)
  expect(refusal(solo.step(change(TWO, 1)))).toBe('CHANGED_SINCE')
})

test('a change of learners alone needs no joint configuration', () => {
  const solo = leader()
  solo.step(change(WITH_LEARNER, 1))
  expect(solo.state.configurations.at(-1)?.configuration).toEqual(WITH_LEARNER)
})

test('a leader that is to be a learner leaves office once that is committed, not sooner', () => {
  const solo = leader()
  solo.step(change({ voters: [N2, N3], learners: [N1], outgoing: [], promoting: [] }, 1))
  acknowledged(solo, [N2, N3])
  expect(solo.state.configurations.at(-1)?.configuration.outgoing).toEqual([])
  acknowledged(solo, [N2])
  expect(role(solo.state)).toBe('leader')
  acknowledged(solo, [N3])
  expect(role(solo.state)).toBe('follower')
  expect(solo.wakeAt).toBe(Number.POSITIVE_INFINITY)
})
