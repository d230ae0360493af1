import { describe, expect, test } from 'vitest'
import { assert } from '../../src/base/assert.ts'
import { logIndex } from '../../src/base/brand.ts'
import { progressOf } from '../../src/raft/index.ts'
import type { Progress } from '../../src/raft/types.ts'
import { matched, N2, N3, refused, Solo } from './solo.ts'

/** What the leader knows of a follower. */
function of(solo: Solo, id = N2): Progress {
  const progress = progressOf(solo.state).get(id)
  assert(progress !== undefined, 'the leader has such a follower', { id })
  return progress
}

/** Sequence of the newest AppendEntries. */
function sequence(solo: Solo): number {
  const { role } = solo.state
  return role.kind === 'leader' ? role.sequence : 0
}

function propose(solo: Solo, bytes = 1) {
  return solo.step({ kind: 'propose', count: 1, bytes })
}

/** A leader of term 2 with entry 2 of its own, which n2 holds: it is committed. */
function leading(): Solo {
  const solo = new Solo().lead()
  solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
  return solo
}

describe('what a leader knows of its followers', () => {
  test('a voter that falls silent behind its vote is sent one message at a time', () => {
    const solo = new Solo().lead()
    propose(solo)
    expect(of(solo).inFlight).toHaveLength(2)
    solo.timeout()
    solo.receive(N2, matched({ term: 2, sequence: sequence(solo), match: 1 }))
    expect(of(solo).mode).toBe('replicate')
    for (let intervals = 0; of(solo).mode !== 'probe' && intervals < 20; intervals += 1) {
      solo.timeout()
      solo.receive(N3, matched({ term: 2, sequence: sequence(solo), match: 3 }))
    }
    propose(solo)
    const { mode, inFlight } = of(solo)
    expect([mode, inFlight.length]).toEqual(['probe', 1])
  })

  test('an answer that an earlier one has overtaken takes no contact back', () => {
    const solo = leading()
    const led = solo.now
    solo.timeout()
    const first = sequence(solo)
    solo.timeout()
    const second = sequence(solo)
    solo.receive(N3, matched({ term: 2, sequence: second, match: 2 }))
    expect(of(solo, N3)).toMatchObject({ lastContact: led + 100, answered: second })
    solo.receive(N3, matched({ term: 2, sequence: first, match: 2 }))
    expect(of(solo, N3)).toMatchObject({ lastContact: led + 100, answered: second })
  })

  test('a refusal is contact, too: whoever refuses entries has heard the leader', () => {
    const solo = leading()
    solo.timeout()
    solo.receive(N3, refused({ term: 2, sequence: sequence(solo), rejected: 1, hint: [0, 0] }))
    expect(of(solo, N3).lastContact).toBe(solo.now)
  })

  test('an answer that took half a second still dates its contact', () => {
    const solo = leading()
    const led = solo.now
    solo.timeout()
    const first = sequence(solo)
    for (let beat = 1; beat < 10; beat += 1) solo.timeout()
    solo.receive(N3, matched({ term: 2, sequence: first, match: 2 }))
    expect(of(solo, N3).lastContact).toBe(led + 50)
  })

  test('a refusal of what was not asked for since is late, and changes no index', () => {
    const replicating = leading()
    replicating.receive(N2, refused({ term: 2, sequence: 1, rejected: 5, hint: [4, 1] }))
    expect(of(replicating)).toMatchObject({ mode: 'replicate', nextIndex: 3, matchIndex: 2 })
    const probing = new Solo({ log: [1, 1, 1] }).lead()
    probing.receive(N2, refused({ term: 2, sequence: 1, rejected: 2, hint: [1, 1] }))
    expect(of(probing)).toMatchObject({ mode: 'probe', nextIndex: 4 })
  })

  test('a heartbeat that is answered while a probe’s entries are under way does not send them twice', () => {
    const solo = leading()
    propose(solo)
    while (of(solo).mode === 'replicate') {
      solo.timeout()
      solo.receive(N3, matched({ term: 2, sequence: sequence(solo), match: 2 }))
    }
    expect(of(solo)).toMatchObject({ nextIndex: 3, inFlight: [{ lastIndex: 3 }] })
    solo.receive(N2, matched({ term: 2, sequence: sequence(solo), match: 2 }))
    expect(of(solo).mode).toBe('probe')
    expect(solo.sent('appendEntries').filter(({ to, message }) => to === N2 && message.runs.length > 0)).toEqual([])
  })

  test('a commit that the leader’s own disk brings about is told at once', () => {
    const solo = leading()
    propose(solo)
    solo.receive(N2, matched({ term: 2, sequence: sequence(solo), match: 3 }))
    expect(solo.state.commitIndex).toBe(2)
    solo.persist()
    expect(solo.applied()).toBe(3)
    expect(solo.sent('appendEntries').map(({ to, message }) => [to, message.leaderCommit])).toEqual([[N2, 3]])
  })

  test('a follower that lacks what a snapshot has covered is sent no entries, and costs nobody else any', () => {
    const solo = new Solo({ log: [1, 1, 1] }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 4 }))
    solo.step({ kind: 'snapshotted', index: logIndex(4) })
    solo.receive(N3, refused({ term: 2, sequence: 2, rejected: 3, hint: [0, 0] }))
    propose(solo)
    const carried = solo.sent('appendEntries').filter(({ message }) => message.runs.length > 0)
    expect(carried.map(({ to }) => to)).toEqual([N2])
  })

  test('a follower that is far behind is sent little at a time, and as much as any other once it is not', () => {
    const log = Array.from({ length: 20_000 }, () => 1)
    const solo = new Solo({ log }).lead()
    const carried = (): number[][] =>
      solo.sent('appendEntries').flatMap(({ to, message }) => {
        const [first, last] = [message.runs[0]?.first, message.runs.at(-1)?.last]
        return to === N3 && first !== undefined && last !== undefined ? [[first, last]] : []
      })
    solo.receive(N3, refused({ term: 2, sequence: 1, rejected: 20_000, hint: [1, 1] }))
    solo.receive(N3, matched({ term: 2, sequence: sequence(solo), match: 65 }))
    expect(carried()).toEqual([
      [66, 1089],
      [1090, 2113],
      [2114, 3137],
      [3138, 4161],
    ])
    // One more as each is acknowledged: the follower's disk says how fast it goes.
    solo.receive(N3, matched({ term: 2, sequence: sequence(solo), match: 1089 }))
    expect(carried()).toEqual([[4162, 5185]])
    solo.receive(N3, matched({ term: 2, sequence: sequence(solo), match: 17_000 }))
    expect(carried()).toEqual([[17_001, 20_001]])
  })

  test('sizes are forgotten once their entries are committed', () => {
    const solo = leading()
    for (let round = 0; round < 20; round += 1) {
      propose(solo)
      solo.persist()
      solo.receive(N2, matched({ term: 2, sequence: sequence(solo), match: 3 + round }))
    }
    const { role, commitIndex } = solo.state
    expect(commitIndex).toBe(22)
    expect(role.kind === 'leader' ? role.sizes.marks.length : 0).toBe(1)
  })

  test('what is uncommitted may reach its bound, and not go beyond', () => {
    const solo = new Solo({ config: { uncommittedBytesMax: 100 } }).lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    const refusals = [60, 40, 1].map((bytes) => propose(solo, bytes).find(({ kind }) => kind === 'refused'))
    expect(refusals).toEqual([undefined, undefined, { kind: 'refused', reason: 'OVERLOADED', leader: 'n1' }])
  })
})
