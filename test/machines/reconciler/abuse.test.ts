import { describe, expect, test } from 'vitest'
import { A, ADMIN, ANALYST, B, C, GAPS, result, World, type Answer } from './world.ts'

/** domain.md §4.11, row by row. */
describe('domain.md §4.11 abuse cases', () => {
  test('R1 consent before the draft is ready', () => {
    const world = new World().draft(A, 'a guess', false)
    expect(world.code(A, 'consent', { draftVersion: 1 })).toBe('DRAFT_NOT_READY')
  })

  test('R2 the guesser answers the offer of its own direction', () => {
    const offer = { offerId: 'off-1', action: 'accept' }
    const alone = new World().put('AWAITING_SHARING')
    expect(alone.code(A, 'respondOffer', offer)).toBe('NOT_FOUND')
    const both = new World().put('AWAITING_SHARING')
    both.consent(B)
    expect(both.code(A, 'respondOffer', offer)).toBe('NOT_FOUND')
    expect(both.code(A, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })).toBe('NOT_FOUND')
    expect(both.code(A, 'viewOffer')).toBe('NOT_FOUND')
  })

  test('R3 validate before the reveal', () => {
    const world = new World().put('READY')
    expect(world.code(B, 'validate', { validated: true })).toBe('NOT_REVEALED')
  })

  test('R4 validate one’s own attempt: the partner has none', () => {
    const world = new World().put('READY')
    expect(world.code(A, 'validate', { validated: true })).toBe('NOT_FOUND')
  })

  test.each(['HELD', 'READY', 'VALIDATED'])('R5 resubmit in %s', (status) => {
    const { code, value } = new World().put(status).send(A, 'resubmit', { content: 'other words' })
    expect(code).toBe('INVALID_STATE_TRANSITION')
    expect(value).toMatchObject({ entity: 'empathy', from: status, event: 'RESUBMIT' })
  })

  test('R6 accept after decline', () => {
    const world = new World().put('AWAITING_SHARING').respond('decline')
    expect(world.code(B, 'respondOffer', { offerId: 'off-1', action: 'accept' })).toBe('OFFER_NOT_PENDING')
  })

  test('R7 a worker completes the same task twice, with another result', () => {
    const world = new World().put('ANALYZING')
    const task = world.task()
    const complete = (found: Answer) => {
      const outcome = world.of(ANALYST).complete(task, found)
      return outcome.kind === 'ok' ? 'ok' : outcome.code
    }
    expect([complete(result()), complete(GAPS), complete(result())]).toEqual(['ok', 'STALE_TASK', 'ok'])
    expect(world.status()).toBe('READY')
  })

  test('R8 a user sends task.complete', () => {
    const world = new World().put('ANALYZING')
    const outcome = world.of(A).complete(world.task(), result())
    expect(outcome.kind === 'ok' ? 'ok' : outcome.code).toBe('FORBIDDEN')
  })

  test.each([{}, { feedback: ' ' }])('R9 validate false without feedback: %j', (words) => {
    expect(new World().put('REVEALED').code(B, 'validate', { validated: false, ...words })).toBe('VALIDATION_ERROR')
  })

  test('R10 validate false after VALIDATED', () => {
    const world = new World().put('VALIDATED')
    expect(world.code(B, 'validate', { validated: false, feedback: 'no' })).toBe('INVALID_STATE_TRANSITION')
  })

  test('R11 reading the partner’s attempt in READY, or a result at any time', () => {
    const world = new World().put('READY')
    const secret = `how ${A} sees it`
    for (const [machine, name] of [
      ['reconciler', 'status'],
      ['reconciler', 'audit'],
      ['gates', 'sharedContent'],
      ['gates', 'consents'],
      ['gates', 'draft'],
      ['session', 'history'],
    ] as const) {
      expect(JSON.stringify(world.ask(B, name, {}, machine)), name).not.toContain(secret)
    }
    world.partnerReady()
    expect(JSON.stringify(world.ask(B, 'status'))).toContain(secret)
    for (const user of [A, B]) expect(JSON.stringify(world.ask(user, 'status'))).not.toContain('RATIONALE')
  })

  test.each([
    ['a score of 101', { ...GAPS, score: 101 }],
    ['an offer without a suggestion', { ...GAPS, suggestion: null }],
  ])('R12 a result with %s: the attempt is counted, and after the third the direction is READY', (_name, found) => {
    const world = new World().put('ANALYZING')
    for (const wait of ['5s', '15s', '0s'] as const) {
      const outcome = world.of(ANALYST).complete(world.task(), found)
      expect(outcome.kind === 'ok' ? 'ok' : outcome.code).toBe('VALIDATION_ERROR')
      world.harness.advance(wait)
    }
    expect(world.status()).toBe('READY')
    expect(world.row('results')).toMatchObject({ degraded: true, action: 'PROCEED' })
  })

  test('a stranger and an administrator know of no exchange', () => {
    const world = new World().put('AWAITING_SHARING')
    for (const by of [C, ADMIN]) {
      for (const [name, input] of COMMANDS) expect(world.code(by, name, input), name).toBe('NOT_FOUND')
      for (const name of ['status', 'audit']) expect(world.ask(by, name).code).toBe('NOT_FOUND')
    }
  })

  test('in a pause every command is refused, and everything can be read', () => {
    const world = new World().put('AWAITING_SHARING')
    world.ok(A, 'pause', {}, 'session')
    for (const user of [A, B]) {
      for (const [name, input] of COMMANDS) {
        expect(world.send(user, name, input)).toEqual({ code: 'SESSION_NOT_ACTIVE', value: { status: 'PAUSED' } })
      }
      expect(world.ask(user, 'status').code).toBe('ok')
    }
  })
})

const COMMANDS: readonly (readonly [name: string, input: Answer])[] = [
  ['consent', { draftVersion: 1 }],
  ['viewOffer', {}],
  ['refineOffer', { offerId: 'off-1', instruction: 'shorter' }],
  ['respondOffer', { offerId: 'off-1', action: 'accept' }],
  ['resubmit', { content: 'other words' }],
  ['skipRefinement', { willingToAccept: true }],
  ['validate', { validated: true }],
  ['markSeen', {}],
]
