import { describe, expect, test } from 'vitest'
import { logIndex, nodeId } from '../../../src/base/brand.ts'
import { type Configuration, configurationOf } from '../../../src/raft/index.ts'
import { appendEntries, N1, N2, N3, preVote, requestVote, Solo, THREE } from '../solo.ts'

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
