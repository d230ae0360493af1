import { describe, expect, test } from 'vitest'
import { A, ANALYST, B, DAY, GAPS, HOUR, MINUTE, result, World } from './world.ts'

describe('domain.md §4.9 timers', () => {
  test('an offer that nobody answers runs out after seven days: READY, and the guesser is told nothing (T7)', () => {
    const world = new World().put('AWAITING_SHARING')
    world.told(A)
    world.harness.advance(7 * DAY - 1)
    expect(world.status()).toBe('AWAITING_SHARING')
    world.harness.advance(1)
    expect([world.status(), world.offer()?.['status']]).toEqual(['READY', 'EXPIRED'])
    expect(world.told(A)).toEqual([])
  })

  test('a pause stops the offer: it runs out after seven days of activity', () => {
    const world = new World().put('AWAITING_SHARING')
    world.harness.advance(3 * DAY)
    world.ok(A, 'pause', {}, 'session')
    world.harness.advance(20 * DAY)
    expect(world.status()).toBe('AWAITING_SHARING')
    world.ok(A, 'resume', {}, 'session')
    world.harness.advance(4 * DAY - 1)
    expect(world.status()).toBe('AWAITING_SHARING')
    world.harness.advance(1)
    expect(world.status()).toBe('READY')
  })

  test('an offer that came up in a pause counts from its end', () => {
    const world = new World().put('ANALYZING')
    world.ok(A, 'pause', {}, 'session')
    world.harness.advance(MINUTE / 2)
    world.analysis(A, GAPS)
    world.harness.advance(10 * DAY)
    world.ok(A, 'resume', {}, 'session')
    world.harness.advance(7 * DAY - 1)
    expect(world.status()).toBe('AWAITING_SHARING')
    world.harness.advance(1)
    expect(world.status()).toBe('READY')
  })

  test('the subject is reminded 72 h after the reveal, once, and a pause stops it', () => {
    const world = new World().put('REVEALED')
    world.harness.advance(70 * HOUR)
    world.ok(A, 'pause', {}, 'session')
    world.harness.advance(5 * DAY)
    world.ok(A, 'resume', {}, 'session')
    world.told(B)
    world.harness.advance(2 * HOUR - 1)
    expect(world.topics(B)).toEqual([])
    world.harness.advance(1)
    expect(world.topics(B)).toEqual(['empathy.validation_reminder'])
    world.harness.advance(30 * DAY)
    expect(world.topics(B)).not.toContain('empathy.validation_reminder')
  })

  test.each(['validated', 'hidden'])('nobody is reminded of what is %s', (what) => {
    const world = new World().put('REVEALED')
    if (what === 'validated') world.ok(B, 'validate', { validated: true })
    else world.ok(A, 'revokeConsent', { consentId: 'con-1' }, 'gates')
    world.told(B)
    world.harness.advance(10 * DAY)
    expect(world.topics(B)).not.toContain('empathy.validation_reminder')
  })

  test('PR9 with a worker that never answers ANALYZING ends within 200 s of its first lease', () => {
    const world = new World().put('ANALYZING')
    world.harness.advance(200_000 - 1)
    expect(world.status()).toBe('ANALYZING')
    world.harness.advance(1)
    expect(world.status()).toBe('READY')
    expect(world.messages(A).map(({ said }) => said)).toContain('WAITING_NEUTRAL')
  })

  test('PR9 with no worker at all it ends at the queue’s deadline, 15 minutes', () => {
    const world = new World()
    world.of(ANALYST).expire()
    world.put('ANALYZING')
    world.harness.advance(15 * MINUTE - 1)
    expect(world.status()).toBe('ANALYZING')
    world.harness.advance(1)
    expect(world.status()).toBe('READY')
  })

  test('a wording that no worker brings leaves the offer as it was', () => {
    const world = new World().put('AWAITING_SHARING')
    world.ok(B, 'viewOffer')
    world.ok(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })
    expect(world.code(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })).toBe('CONFLICT')
    world.harness.advance(10 * MINUTE)
    expect(world.offer()).toMatchObject({
      status: 'OFFERED',
      content: 'SUGGESTION',
      contentVersion: 1,
      refineTask: null,
    })
    world.respond('accept')
    expect(world.status()).toBe('REFINING')
  })

  test('a dialogue that ends takes tasks, offers and timers with it, and leaves the statuses to be read', () => {
    const offered = new World().put('AWAITING_SHARING')
    offered.ok(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })
    offered.consent(B)
    offered.ok(A, 'withdraw', {}, 'session')
    expect([offered.status(A), offered.status(B)]).toEqual(['AWAITING_SHARING', 'ANALYZING'])
    expect(offered.offer()).toMatchObject({ status: 'EXPIRED', refineTask: null })
    expect(offered.harness.tasks.filter(({ machine }) => machine === 'reconciler')).toEqual([])
    expect(offered.harness.timers.filter(({ machine }) => machine === 'reconciler')).toEqual([])
    const analysed = new World().put('ANALYZING')
    const task = analysed.task()
    analysed.ok(A, 'withdraw', {}, 'session')
    const outcome = analysed.of(ANALYST).complete(task, result())
    expect(outcome.kind === 'ok' ? 'ok' : outcome.code).toBe('STALE_TASK')
  })
})
