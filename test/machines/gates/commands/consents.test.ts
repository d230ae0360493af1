import { describe, expect, test } from 'vitest'
import { A, B, FACILITATOR, SID, type World, at, toldBy } from '../world.ts'

describe('domain.md §2.3 consents', () => {
  test.each([
    ['IDENTIFIED_NEED', 'need-1', (world: World) => world.need(A)],
    ['EVENT_SUMMARY', 'evt-1', (world: World) => world.ok(A, 'recordEvent', { description: 'd', attributedTo: 'OWN' })],
    ['EMOTIONAL_PATTERN', 'emo-1', (world: World) => world.ok(A, 'recordEmotion', { intensity: 5 }, 'session')],
    ['BOUNDARY', 'bnd-1', (world: World) => world.ok(A, 'recordBoundary', { description: 'd', nonNegotiable: true })],
    ['EMPATHY_DRAFT', 'draft', (world: World) => world.ok(A, 'saveEmpathyDraft', { content: 'c' })],
    ['EMPATHY_ATTEMPT', 'attempt', (world: World) => world.attempt(A, 'HELD')],
    ['STRATEGY_PROPOSAL', 'str-1', (world: World) => world.strategy(A)],
  ] as const)('proposeConsent: %s is to be in the owner’s vessel', (contentType, originalId, make) => {
    const stages: { readonly [type: string]: number } = { EMPATHY_DRAFT: 2, EMPATHY_ATTEMPT: 2, STRATEGY_PROPOSAL: 4 }
    const world = at(stages[contentType] ?? 3)
    const given = { owner: A, contentType, originalId, transformedPreview: 'a wording' }
    if (contentType === 'EMPATHY_DRAFT' || contentType === 'EMPATHY_ATTEMPT' || stages[contentType] === undefined) {
      expect(world.code(FACILITATOR, 'proposeConsent', given)).toBe('NOT_FOUND')
    }
    make(world)
    expect(world.code(FACILITATOR, 'proposeConsent', { ...given, owner: B })).toBe('NOT_FOUND')
    expect(world.code(FACILITATOR, 'proposeConsent', { ...given, originalId: 'else' })).toBe('NOT_FOUND')
    expect(toldBy(world, A, () => world.ok(FACILITATOR, 'proposeConsent', given)).map(([topic]) => topic)).toEqual([
      'consent.requested',
    ])
  })

  test('decideConsent: the owner alone, once; granted in the owner’s own words, denied without a trace', () => {
    const world = at(2)
    for (let event = 0; event < 2; event += 1) world.ok(A, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
    const given = { owner: A, contentType: 'EVENT_SUMMARY', transformedPreview: 'a wording' }
    for (const originalId of ['evt-1', 'evt-2']) world.ok(FACILITATOR, 'proposeConsent', { ...given, originalId })
    expect(world.code(B, 'decideConsent', { consentId: 'ask-1', decision: 'GRANTED' })).toBe('NOT_FOUND')
    expect(world.code(A, 'decideConsent', { consentId: 'ask-9', decision: 'GRANTED' })).toBe('NOT_FOUND')
    const granted = { consentId: 'ask-1', decision: 'GRANTED', editedContent: 'softer' }
    expect(world.ok(A, 'decideConsent', granted)).toEqual({ decision: 'GRANTED', consentId: 'con-1' })
    expect(world.ok(A, 'decideConsent', { consentId: 'ask-2', decision: 'DENIED' })).toMatchObject({ consentId: null })
    for (const consentId of ['ask-1', 'ask-2']) {
      expect(world.code(A, 'decideConsent', { consentId, decision: 'GRANTED' })).toBe('CONFLICT')
    }
    expect(world.answer(B, 'sharedContent')['partner']).toMatchObject([
      { consentId: 'con-1', transformedContent: 'softer' },
    ])
    expect(world.answer(A, 'consents')['consents']).toMatchObject([
      { id: 'ask-2', decision: 'DENIED' },
      { id: 'con-1', decision: 'GRANTED' },
    ])
    expect(world.answer(B, 'consents')).toEqual({ consents: [], next: null })
  })

  test('decideConsent: a need that is granted counts as shared', () => {
    const world = at(3)
    world.share(B, world.need(B))
    const originalId = world.need(A)
    world.granted(A, 'IDENTIFIED_NEED', originalId, 'rest')
    expect(world.task('common_ground.analyze').payload).toMatchObject({
      needs: [{ user: A, content: 'rest' }, { user: B }],
    })
  })

  test('revokeConsent: the owner, granted and once; the partner is told what kind of thing it was', () => {
    const world = at(3)
    const consentId = world.share(A, world.need(A))
    expect(world.code(B, 'revokeConsent', { consentId })).toBe('NOT_FOUND')
    expect(toldBy(world, B, () => world.ok(A, 'revokeConsent', { consentId }))).toEqual([
      ['partner.consent_revoked', { sid: SID, contentType: 'IDENTIFIED_NEED' }],
    ])
    expect(world.code(A, 'revokeConsent', { consentId })).toBe('NOT_FOUND')
    expect(world.answer(B, 'needs')['partner']).toEqual([])
    expect(world.answer(A, 'sharedContent')['own']).toMatchObject([{ consentId, active: false }])
    // Shared again it is under a new consent.
    expect(world.share(A, 'need-1')).not.toBe(consentId)
  })

  test('revokeConsent: of an attempt takes the attempt back', () => {
    const world = at(2)
    world.attempt(A, 'HELD')
    world.granted(A, 'EMPATHY_ATTEMPT', 'attempt')
    expect(world.answer(B, 'gates', { stage: 2 })['partnerConsented']).toBe(true)
    world.ok(A, 'revokeConsent', { consentId: 'con-1' })
    expect(world.answer(B, 'gates', { stage: 2 })['partnerConsented']).toBe(false)
  })

  test('a guess that was consented to is read by nobody else before it was shown', () => {
    const world = at(2)
    const query = { type: 'consented_content', vessel: 'shared', source: 'structured', consentActive: true }
    const reads = (): readonly string[] => {
      const retrieved = world.retrieve(B, [query])
      return [JSON.stringify(retrieved), JSON.stringify(world.answer(B, 'sharedContent'))]
    }
    world.attempt(A, 'HELD')
    world.granted(A, 'EMPATHY_ATTEMPT', 'attempt', 'my guess')
    for (const status of ['HELD', 'ANALYZING', 'AWAITING_SHARING', 'READY']) {
      world.attempt(A, status)
      for (const read of reads()) expect(read).not.toContain('my guess')
    }
    world.attempt(A, 'REVEALED')
    for (const read of reads()) expect(read).toContain('my guess')
  })

  test('a need that was shared is not read by somebody who has not come to needs', () => {
    const world = at(2)
    world.exchange()
    world.ok(A, 'advanceStage', { fromStage: 2, toStage: 3 })
    world.share(A, world.need(A, 'to be left alone'))
    const reads = (): string => JSON.stringify([world.answer(B, 'sharedContent'), world.answer(B, 'needs')])
    expect(reads()).not.toContain('to be left alone')
    world.ok(B, 'advanceStage', { fromStage: 2, toStage: 3 })
    expect(reads()).toContain('to be left alone')
  })

  test('revoked consents and decided requests take no room, and are kept up to a number', () => {
    const world = at(3)
    const needId = world.need(A)
    for (let count = 0; count < 150; count += 1) world.ok(A, 'revokeConsent', { consentId: world.share(A, needId) })
    expect(world.harness.table('gates', 'consents')).toHaveLength(100)
    expect(world.harness.table('gates', 'consents')[0]?.[0]).toEqual([SID, 51])
    expect(world.code(A, 'shareNeeds', { needIds: [needId] })).toBe('ok')
    world.ok(A, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
    const given = { owner: A, contentType: 'EVENT_SUMMARY', originalId: 'evt-1', transformedPreview: 'x' }
    for (let count = 1; count <= 150; count += 1) {
      world.ok(FACILITATOR, 'proposeConsent', given)
      world.ok(A, 'decideConsent', { consentId: `ask-${count}`, decision: 'DENIED' })
    }
    expect(world.harness.table('gates', 'requests')).toHaveLength(100)
    for (let count = 0; count < 100; count += 1) world.ok(FACILITATOR, 'proposeConsent', given)
    expect(world.refused(FACILITATOR, 'proposeConsent', given).value).toEqual({ reason: 'TOO_MANY' })
  })

  test('an owner has two hundred consents at once and no more; the partner has as many', () => {
    const world = at(2)
    for (const user of [A, B]) world.ok(user, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
    for (let count = 0; count < 200; count += 1) world.granted(A, 'EVENT_SUMMARY', 'evt-1')
    const given = { owner: A, contentType: 'EVENT_SUMMARY', originalId: 'evt-1', transformedPreview: 'x' }
    const { consentId = null } = world.ok(FACILITATOR, 'proposeConsent', given)
    expect(world.refused(A, 'decideConsent', { consentId, decision: 'GRANTED' }).value).toEqual({ reason: 'TOO_MANY' })
    world.granted(B, 'EVENT_SUMMARY', 'evt-1')
    world.ok(A, 'revokeConsent', { consentId: 'con-1' })
    expect(world.code(A, 'decideConsent', { consentId, decision: 'GRANTED' })).toBe('ok')
  })
})
