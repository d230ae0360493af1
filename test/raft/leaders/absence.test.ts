import { describe, expect, test } from 'vitest'
import { progressOf } from '../../../src/raft/index.ts'
import { matched, N2, N3, Solo } from '../solo.ts'

describe('check-quorum of a busy process', () => {
  test('a leader whose own process was held up asks again before it judges; a cut-off one steps down all the same', () => {
    const solo = new Solo().lead()
    solo.now += 5000
    solo.step({ kind: 'tick' })
    expect(solo.state.role.kind).toBe('leader')
    expect(solo.sent('appendEntries').map(({ to }) => to)).toEqual([N2, N3])
    const propose = () => solo.step({ kind: 'propose', count: 1, bytes: 1 }).find(({ kind }) => kind === 'refused')
    expect(propose()).toBeUndefined()
    // Each beat comes four intervals late: eleven more go unanswered before the leader gives up.
    let beats = 0
    while (solo.state.role.kind === 'leader') {
      solo.now = solo.wakeAt + 200
      solo.step({ kind: 'tick' })
      beats += 1
    }
    expect(beats).toBe(11)
  })

  test('a leader’s absence never dates a contact beyond now', () => {
    const solo = new Solo().lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.now += 5000
    solo.step({ kind: 'tick' })
    for (const { lastContact } of progressOf(solo.state).values()) expect(lastContact).toBeLessThanOrEqual(solo.now)
  })
})
