import { describe, expect, test } from 'vitest'
import { N1, Solo } from './solo.ts'

describe('what a leader begins with', () => {
  test('raft.md §1 the first leader begins its log with one entry for all machines, behind the limits and in the same write', () => {
    const options = { log: [], configuration: { voters: [N1], learners: [], outgoing: [], promoting: [] } }
    const solo = new Solo({ ...options, advances: true })
    solo.persist()
    expect(solo.write()?.entries.map(({ first, source }) => [first, source])).toEqual([
      [1, { kind: 'created', entryKind: 'configuration' }],
      [2, { kind: 'created', entryKind: 'limits' }],
      [3, { kind: 'created', entryKind: 'advanceVersion' }],
    ])
  })

  test('raft.md §1 a leader that finds a log begins with no version: that log may be of an earlier build', () => {
    for (const [log, kind] of [
      [[1], 'limits'],
      [[1, 1], 'noop'],
    ] as const) {
      const solo = new Solo({
        log: [...log],
        configuration: { voters: [N1], learners: [], outgoing: [], promoting: [] },
      })
      solo.persist()
      expect(solo.write()?.entries).toMatchObject([{ source: { entryKind: kind } }])
    }
  })
})
