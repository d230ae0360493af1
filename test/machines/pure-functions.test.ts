import * as machines from 'holdfast/machines'
import { describe, expect, test } from 'vitest'
import type { GateFacts, PersonFacts } from '../../src/machines/index.ts'

const NOTHING: Omit<PersonFacts, 'user'> = {
  stage: 0,
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
const FACTS: GateFacts = {
  people: [
    { ...NOTHING, user: 'user:a', signed: true },
    { ...NOTHING, user: 'user:b' },
  ],
  commonGround: [],
  overlapFound: false,
  agreements: [],
}
const DOOR = { participant: true, session: 'ready', video: 'failed', formsOpen: false, startsAt: 0, now: 0 }

/** The names of domain.md §0.10 that belong to session, gates and payments, each with a call as its signature says. */
const ROWS: readonly (readonly [name: string, given: readonly unknown[], gives: unknown])[] = [
  ['paymentTransition', ['pending', 'initiated'], { entity: 'payment', from: 'pending', to: 'initiated' }],
  ['paymentTransition', ['confirmed', 'pending'], { error: 'INVALID_STATE_TRANSITION', allowed: ['refunded'] }],
  ['sessionTransition', ['requested', 'approved'], { entity: 'session', from: 'requested', to: 'approved' }],
  ['sessionTransition', ['completed', 'paid'], { error: 'INVALID_STATE_TRANSITION', allowed: [] }],
  ['videoTransition', ['active', 'ended'], { entity: 'video', from: 'active', to: 'ended' }],
  ['videoTransition', ['not_started', 'active'], { error: 'INVALID_STATE_TRANSITION' }],
  [
    'crossSync',
    ['failed', 'payment_pending', 'not_started', 'amended'],
    { valid: true, requiredActions: ['ALERT_CLIENT_RETRY'] },
  ],
  ['crossSync', ['pending', 'paid', 'not_started', 'literal'], { valid: false, code: 'PAYMENT_SESSION_SYNC' }],
  ['forbiddenCode', ['session', 'requested', 'ready'], 'PAYMENT_REQUIRED'],
  ['forbiddenCode', ['session', 'requested', 'approved'], null],
  ['refundPct', [24 * 3_600_000, 'client'], 75],
  ['refundAmount', [101, 50], 51],
  ['midSessionPct', [25], 50],
  ['joinCheck', [DOOR], { error: 'VIDEO_FAILED' }],
  ['joinCheck', [{ ...DOOR, video: 'active' }], { ok: true }],
  ['retrievalVerdict', [{ type: 'session_metadata', source: 'metadata' }, 0, 'user:a'], 'ALLOWED'],
  ['retrievalVerdict', [{ type: 'session_metadata', source: 'metadata' }, 4, 'user:a'], 'RETRIEVAL_DENIED'],
  ['retrievalVerdict', [null, 0, 'user:a'], 'INVALID_QUERY'],
  ['gateValues', [FACTS, 'user:b', 0], { compactSigned: false, partnerCompactSigned: true }],
  ['displayStatus', ['ACTIVE', FACTS], 'WAITING'],
  ['displayStatus', ['PAUSED', FACTS], 'PAUSED'],
]

describe('domain.md §0.10 the pure functions are exported from holdfast/machines under their names', () => {
  test.each(ROWS)('%s(%j)', (name, given, gives) => {
    const exported: unknown = (machines as { readonly [name: string]: unknown })[name]
    if (typeof exported !== 'function') throw new Error(`holdfast/machines exports no function ${name}`)
    const before = JSON.stringify(given)
    const answer: unknown = exported(...given)
    if (typeof gives === 'object' && gives !== null) expect(answer).toMatchObject(gives)
    else expect(answer).toBe(gives)
    expect(exported(...given)).toEqual(answer)
    expect(JSON.stringify(given)).toBe(before)
  })

  test.each([...new Set(ROWS.map(([name]) => name))])('%s never throws for words that are none', (name) => {
    const exported = (machines as unknown as { readonly [name: string]: (...given: readonly unknown[]) => unknown })[
      name
    ]
    const [, given = []] = ROWS.find(([row]) => row === name) ?? []
    const strange = given.map((value) => (typeof value === 'string' ? 'nowhere' : value))
    expect(() => exported?.(...strange)).not.toThrow()
  })
})
