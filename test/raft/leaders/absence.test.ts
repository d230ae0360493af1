import { describe, expect, test } from 'vitest'
import { progressOf } from '../../../src/raft/index.ts'
import { matched, N2, N3, Solo } from '../solo.ts'

const TIMEOUT_MAX_MS = 600

/** A leader that nobody answers any more, each of its beats late by `lateMs`: for how long it leads, and takes proposals. */
function cutOff(lateMs: number): { leadsMs: number; takesMs: number } {
  const solo = new Solo().lead()
  solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
  const since = solo.now
  let takesMs = 0
  while (solo.state.role.kind === 'leader') {
    solo.now = solo.wakeAt + lateMs
    solo.step({ kind: 'tick' })
    const refused = solo.step({ kind: 'propose', count: 1, bytes: 1 }).some(({ kind }) => kind === 'refused')
    if (!refused) takesMs = solo.now - since
  }
  return { leadsMs: solo.now - since, takesMs }
}

describe('check-quorum of a busy process', () => {
  test('a leader whose own process was held up asks again before it judges; a cut-off one steps down all the same', () => {
    const solo = new Solo().lead()
    solo.now += 5000
    solo.step({ kind: 'tick' })
    expect(solo.state.role.kind).toBe('leader')
    expect(solo.sent('appendEntries').map(({ to }) => to)).toEqual([N2, N3])
    const propose = () => solo.step({ kind: 'propose', count: 1, bytes: 1 }).find(({ kind }) => kind === 'refused')
    expect(propose()).toBeUndefined()
    // Each beat comes four intervals late; that absence was forgiven whole, no other is before somebody answers.
    let beats = 0
    while (solo.state.role.kind === 'leader') {
      solo.now = solo.wakeAt + 200
      solo.step({ kind: 'tick' })
      beats += 1
    }
    expect(beats).toBe(3)
  })

  test('a leader that is late again and again steps down within two election timeouts and a beat of its own', () => {
    for (const lateMs of [51, 100, 300, 1000]) {
      const { leadsMs, takesMs } = cutOff(lateMs)
      expect(leadsMs, `late by ${lateMs}`).toBeLessThanOrEqual(2 * TIMEOUT_MAX_MS + lateMs + 50)
      expect(takesMs, `late by ${lateMs}`).toBeLessThanOrEqual(leadsMs - 100)
    }
  })

  test('a leader that is late at every beat leads on while it is answered', () => {
    const solo = new Solo().lead()
    for (let beat = 0; beat < 20; beat += 1) {
      solo.now = solo.wakeAt + 1000
      solo.step({ kind: 'tick' })
      const { role } = solo.state
      expect(role.kind).toBe('leader')
      solo.receive(N2, matched({ term: 2, sequence: role.kind === 'leader' ? role.sequence : 0, match: 2 }))
    }
  })

  test('a leader’s absence never dates a contact beyond now', () => {
    const solo = new Solo().lead()
    solo.receive(N2, matched({ term: 2, sequence: 1, match: 2 }))
    solo.now += 5000
    solo.step({ kind: 'tick' })
    for (const { lastContact } of progressOf(solo.state).values()) expect(lastContact).toBeLessThanOrEqual(solo.now)
  })
})
