import { describe, expect, test } from 'vitest'
import {
  displayStatus,
  gateValues,
  resolveRefusal,
  waiters,
  waitingOn,
  type GateFacts,
  type PersonFacts,
} from '../../../src/machines/index.ts'
import { A, B, C } from './world.ts'

const nothing = {
  completed: false,
  signed: false,
  feelHeard: false,
  draftReady: false,
  attemptShared: false,
  attemptValidated: false,
  needsConfirmed: false,
  strategiesReady: false,
  ranked: false,
  todo: false,
}

type Done = Partial<Omit<PersonFacts, 'user'>>

/** Two people, and what they have done. */
function facts(one: Done, other: Done, shared: Partial<Omit<GateFacts, 'people'>> = {}): GateFacts {
  return {
    people: [
      { ...nothing, user: A, stage: 0, ...one },
      { ...nothing, user: B, stage: 0, ...other },
    ],
    commonGround: [],
    overlapFound: false,
    agreements: [],
    ...shared,
  }
}

/** One row of domain.md §2.2: what makes a key true for A, and whether B alone can do it. */
const KEYS: readonly (readonly [stage: 0 | 1 | 2 | 3 | 4, key: string, yes: GateFacts, no: GateFacts])[] = [
  [0, 'compactSigned', facts({ signed: true }, {}), facts({}, { signed: true })],
  [0, 'partnerCompactSigned', facts({}, { signed: true }), facts({ signed: true }, {})],
  [1, 'feelHeardConfirmed', facts({ feelHeard: true }, {}), facts({}, { feelHeard: true })],
  [2, 'empathyDraftReady', facts({ draftReady: true }, {}), facts({}, { draftReady: true })],
  [2, 'empathyConsented', facts({ attemptShared: true }, {}), facts({}, { attemptShared: true })],
  [2, 'partnerConsented', facts({}, { attemptShared: true }), facts({ attemptShared: true }, {})],
  [2, 'partnerValidated', facts({ attemptValidated: true }, {}), facts({}, { attemptValidated: true })],
  [3, 'needsConfirmed', facts({ needsConfirmed: true }, {}), facts({}, { needsConfirmed: true })],
  [3, 'partnerNeedsConfirmed', facts({}, { needsConfirmed: true }), facts({ needsConfirmed: true }, {})],
  [
    3,
    'commonGroundConfirmed',
    facts({}, {}, { commonGround: [{ confirmedBy: [A, B] }] }),
    facts({}, {}, { commonGround: [{ confirmedBy: [A] }, { confirmedBy: [B] }] }),
  ],
  [
    4,
    'strategiesSubmitted',
    facts({ strategiesReady: true }, { strategiesReady: true }),
    facts({ strategiesReady: true }, {}),
  ],
  [4, 'rankingsSubmitted', facts({ ranked: true }, { ranked: true }), facts({ ranked: true }, {})],
  [4, 'overlapIdentified', facts({}, {}, { overlapFound: true }), facts({}, {})],
  [
    4,
    'agreementCreated',
    facts({}, {}, { agreements: [{ id: 'agr-1', status: 'PROPOSED', agreedBy: [B] }] }),
    facts({}, {}, { agreements: [{ id: 'agr-1', status: 'ABANDONED', agreedBy: [A] }] }),
  ],
]

describe('domain.md §2.2 gate keys', () => {
  test.each(KEYS)('stage %i %s', (stage, key, yes, no) => {
    expect(gateValues(yes, A, stage)).toHaveProperty(key, true)
    expect(gateValues(no, A, stage)).toHaveProperty(key, false)
  })

  test('the stages have these keys, in this order, and a stranger has none', () => {
    const found = ([0, 1, 2, 3, 4] as const).flatMap((stage) => Object.keys(gateValues(facts({}, {}), B, stage)))
    expect(found).toEqual(KEYS.map(([, key]) => key))
    expect(gateValues(facts({}, {}), C, 0)).toEqual({})
    expect(waitingOn(facts({}, {}), C)).toEqual([])
  })
})

const atFour = { stage: 4, strategiesReady: true, ranked: true } as const
const agreed = (status: 'PROPOSED' | 'AGREED', agreedBy: readonly string[]) => ({
  overlapFound: true,
  agreements: [{ id: 'agr-1', status, agreedBy }],
})

/** Rows of domain.md §1.4: what the two have done, who waits for the other, and for which keys. */
const ROWS: readonly (readonly [what: string, facts: GateFacts, waiters: readonly string[], on: readonly string[]])[] =
  [
    ['no stage was entered', facts({ stage: null, signed: true }, { stage: null }), [], []],
    ['stage 0: nobody has signed', facts({}, {}), [], []],
    ['stage 0: one has signed', facts({ signed: true }, {}), [A], ['partnerCompactSigned']],
    ['stage 0: both have signed', facts({ signed: true }, { signed: true }), [], []],
    ['stage 0: the other one is a stage ahead', facts({ signed: true }, { signed: true, stage: 1 }), [], []],
    ['stage 1: nobody feels heard', facts({ stage: 1 }, { stage: 1 }), [], []],
    [
      'stage 1: one feels heard, and may go on',
      facts({ stage: 1, feelHeard: true }, { stage: 1 }),
      [A],
      ['PARTNER_NOT_READY'],
    ],
    ['stage 1: both feel heard', facts({ stage: 1, feelHeard: true }, { stage: 1, feelHeard: true }), [A, B], []],
    ['stage 1: one has passed it', facts({ stage: 2, feelHeard: true }, { stage: 1 }), [A], ['PARTNER_NOT_READY']],
    [
      'stage 1: one has passed it, and the other one feels heard',
      facts({ stage: 2, feelHeard: true }, { stage: 1, feelHeard: true }),
      [A, B],
      [],
    ],
    [
      'stage 2: one has done all that can be done alone',
      facts({ stage: 2, draftReady: true, attemptShared: true }, { stage: 2 }),
      [],
      ['partnerConsented', 'partnerValidated'],
    ],
    [
      'stage 2: one has all keys',
      facts(
        { stage: 2, draftReady: true, attemptShared: true, attemptValidated: true },
        { stage: 2, attemptShared: true },
      ),
      [A],
      ['PARTNER_NOT_READY'],
    ],
    [
      'stage 3: one has confirmed needs, and an item of common ground',
      facts({ stage: 3, needsConfirmed: true }, { stage: 3 }, { commonGround: [{ confirmedBy: [A] }] }),
      [A],
      ['partnerNeedsConfirmed', 'commonGroundConfirmed'],
    ],
    [
      'stage 3: all keys of both, so either may go on',
      facts(
        { stage: 3, needsConfirmed: true },
        { stage: 3, needsConfirmed: true },
        { commonGround: [{ confirmedBy: [A, B] }] },
      ),
      [],
      [],
    ],
    [
      'stage 3: all keys, and the other one is ahead',
      facts(
        { stage: 3, needsConfirmed: true },
        { stage: 4, needsConfirmed: true },
        { commonGround: [{ confirmedBy: [A, B] }] },
      ),
      [],
      [],
    ],
    [
      'stage 4: one is ready, and has ranked and agreed',
      facts(atFour, { stage: 4 }, agreed('PROPOSED', [A])),
      [A],
      ['strategiesSubmitted', 'rankingsSubmitted'],
    ],
    [
      'stage 4: one agreed to what the other one did not yet',
      facts(atFour, atFour, agreed('PROPOSED', [A])),
      [A],
      ['AGREEMENT_NOT_CONFIRMED'],
    ],
    ['stage 4: both agreed', facts(atFour, atFour, agreed('AGREED', [A, B])), [], []],
  ]

describe('domain.md §1.4 WAITING', () => {
  test.each(ROWS)('%s', (_what, given, expected, on) => {
    expect(waiters(given)).toEqual(expected)
    expect(waitingOn(given, A)).toEqual(on)
    expect(displayStatus('ACTIVE', given)).toBe(expected.length === 1 ? 'WAITING' : 'ACTIVE')
  })

  test('resolving is refused to a stranger with every key of the last stage', () => {
    const keys = ['strategiesSubmitted', 'rankingsSubmitted', 'overlapIdentified', 'agreementCreated']
    expect(resolveRefusal(facts(atFour, atFour), C)).toEqual({ error: 'GATES_NOT_SATISFIED', unsatisfied: keys })
  })

  test('somebody with something to do does not wait', () => {
    const given = facts({ signed: true, todo: true }, {})
    expect(waiters(given)).toEqual([])
    expect(waitingOn(given, A)).toEqual([])
  })

  test.each(['CREATED', 'INVITED', 'PAUSED', 'RESOLVED', 'ABANDONED'] as const)(
    '%s is never shown as WAITING',
    (status) => {
      expect(displayStatus(status, facts({ signed: true }, {}))).toBe(status)
    },
  )

  test('the keys are those of the two, whoever asks', () => {
    for (const [, given] of ROWS) {
      const [one, other] = given.people
      const turned = { ...given, people: [other, one] as const }
      expect([...waiters(turned)].sort()).toEqual([...waiters(given)].sort())
      expect(displayStatus('ACTIVE', turned)).toBe(displayStatus('ACTIVE', given))
    }
  })
})
