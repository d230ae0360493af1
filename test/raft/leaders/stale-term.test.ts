import { describe, expect, test } from 'vitest'
import { term } from '../../../src/base/brand.ts'
import type { Message } from '../../../src/raft/index.ts'
import { appendEntries, matched, N2, N3, preVote, refused, requestVote, Solo } from '../solo.ts'

const TERM = 5
const OLDER = 4

/** Nodes of term 5, in every role; time has gone by since each last heard of anybody. */
const NODES: { readonly [name: string]: () => Solo } = {
  'a follower that knows its leader': () => {
    const solo = new Solo({ log: [1, 1], term: TERM })
    solo.receive(N2, appendEntries({ term: TERM, prev: [2, 1] }))
    return later(solo)
  },
  'a follower without a leader': () => later(new Solo({ log: [1, 1], term: TERM })),
  'a pre-candidate': () => {
    const solo = new Solo({ log: [1, 1], term: TERM })
    solo.step({ kind: 'campaign' })
    return later(solo)
  },
  'a candidate': () => {
    const solo = new Solo({ log: [1, 1], term: TERM - 1, config: { preVote: false } })
    solo.step({ kind: 'campaign' })
    solo.persist()
    return later(solo)
  },
  'a leader': () => later(new Solo({ log: [1, 1], term: TERM - 1, config: { preVote: false } }).lead()),
}

/** One message of each kind as a node of term 4 would send it, each saying what a node of term 5 would act upon. */
const MESSAGES: readonly Message[] = [
  appendEntries({ term: OLDER, prev: [2, 1], entries: [OLDER], commit: 3 }),
  matched({ term: OLDER, sequence: 1, match: 2 }),
  refused({ term: OLDER, sequence: 1, rejected: 2, hint: [1, 1] }),
  requestVote({ term: OLDER, last: [9, 4] }),
  { kind: 'requestVoteResponse', term: term(OLDER), verdict: { granted: true } },
  preVote({ term: OLDER, last: [9, 4] }),
  { kind: 'preVoteResponse', term: term(OLDER), requestTerm: term(OLDER), verdict: { granted: true } },
]

describe('what a node of an older term says', () => {
  for (const [name, node] of Object.entries(NODES)) {
    for (const message of MESSAGES) {
      test(`${name} changes nothing for a stale ${nameOf(message)}, not even when it last heard of a leader`, () => {
        const solo = node()
        const before = solo.state
        expect(before.currentTerm).toBe(TERM)
        solo.receive(N3, message)
        expect(solo.state).toEqual(before)
      })
    }
  }

  test('a deposed leader that goes on sending keeps nobody from electing the next one', () => {
    const solo = new Solo({ log: [1, 1], term: TERM })
    solo.receive(N2, appendEntries({ term: TERM, prev: [2, 1] }))
    solo.now += solo.state.config.electionTimeoutMinMs
    solo.receive(N3, appendEntries({ term: OLDER, prev: [2, 1] }))
    solo.receive(N2, preVote({ term: TERM + 1, last: [2, 1] }))
    expect(solo.sent('preVoteResponse')[0]?.message.verdict).toEqual({ granted: true })
  })
})

function nameOf(message: Message): string {
  if (message.kind !== 'appendEntriesResponse') return message.kind
  return message.result.success ? 'acknowledgement' : 'refusal of entries'
}

function later(solo: Solo): Solo {
  solo.now += 10
  return solo
}
