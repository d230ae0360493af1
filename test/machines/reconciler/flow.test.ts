import { describe, expect, test } from 'vitest'
import { A, ANALYST, B, GAPS, result, World } from './world.ts'

/** domain.md §4.10, step by step in one dialogue: gaps, something shared, other words, feedback. */
describe('domain.md §4.10 the canonical flow', () => {
  const world = new World()

  test('1 a consents: HELD', () => {
    world.draft(A, 'You were tired.')
    expect(world.ok(A, 'consent', { draftVersion: 1 })).toEqual({
      status: 'HELD',
      attemptId: 'att-1',
      waitingForPartner: true,
    })
    expect(world.topics(B)).toContain('partner.empathy_shared')
  })

  test('2 b feels heard: ANALYZING, and a task', () => {
    world.feelHeard(B)
    expect(world.status()).toBe('ANALYZING')
    expect(world.task().payload).toMatchObject({ guesser: A, subject: B, iteration: 1, statement: 'You were tired.' })
  })

  test('3 a worker finds gaps: AWAITING_SHARING, both are told', () => {
    for (const user of [A, B]) world.told(user)
    world.analysis(A, GAPS)
    expect(world.status()).toBe('AWAITING_SHARING')
    expect(world.topics(A)).toEqual(['empathy.status_updated', 'empathy.partner_considering_share'])
    expect(world.topics(B)).toEqual(['empathy.share_suggestion'])
  })

  test('4 b looks at the offer: OFFERED, the first wording', () => {
    expect(world.ok(B, 'viewOffer')).toEqual({
      offerId: 'off-1',
      content: 'SUGGESTION',
      contentVersion: 1,
      reason: 'REASON',
      guesserName: 'a',
    })
    expect(world.offer()).toMatchObject({ status: 'OFFERED' })
  })

  test('5 b has it worded anew: a task, a second wording, b is told', () => {
    world.ok(B, 'refineOffer', { offerId: 'off-1', instruction: 'shorter' })
    world.of(ANALYST).complete(world.task('share.refine'), { content: 'I was ill.' })
    expect(world.told(B)).toMatchObject([['empathy.share_suggestion', { offerId: 'off-1', contentVersion: 2 }]])
  })

  test('6 b accepts the first wording: STALE_STATE; the second: shared, a is told, messages k to k+4', () => {
    const accept = { offerId: 'off-1', action: 'accept' }
    expect(world.code(B, 'respondOffer', { ...accept, contentVersion: 1 })).toBe('STALE_STATE')
    world.told(A)
    const before = Math.max(...[A, B].flatMap((user) => world.messages(user).map(({ seq }) => seq)))
    expect(world.ok(B, 'respondOffer', { ...accept, contentVersion: 2 })).toEqual({
      status: 'shared',
      sharedContent: 'I was ill.',
    })
    expect(world.status()).toBe('REFINING')
    expect(world.told(A)).toMatchObject([['empathy.refining', { offerId: 'off-1', messageSeq: before + 2 }]])
    const later = (user: string) => world.messages(user).filter(({ seq }) => seq > before)
    expect(later(A)).toEqual([
      { seq: before + 1, said: 'CONTEXT_INTRO', text: null },
      { seq: before + 2, said: 'SHARED_CONTEXT', text: 'I was ill.' },
      { seq: before + 3, said: 'CONTEXT_REFLECTION', text: null },
    ])
    expect(later(B)).toEqual([
      { seq: before + 4, said: 'SHARED_CONTEXT', text: 'I was ill.' },
      { seq: before + 5, said: 'SHARE_ACK', text: null },
    ])
  })

  test('7 a resubmits the same in another case: IDENTICAL_RESUBMISSION; new words: ANALYZING, resubmits 1', () => {
    expect(world.code(A, 'resubmit', { content: ' you WERE  tired. ' })).toBe('IDENTICAL_RESUBMISSION')
    expect(world.ok(A, 'resubmit', { content: 'You were ill.' })).toEqual({
      status: 'ANALYZING',
      revision: 1,
      resubmitsLeft: 2,
    })
    expect(world.row('directions')).toMatchObject({ resubmits: 1 })
  })

  test('8 gaps again: READY, no further offer', () => {
    world.analysis(A, GAPS)
    expect(world.status()).toBe('READY')
    expect(world.row('directions')?.['offers']).toHaveLength(1)
    expect(world.rows('results').map(([, row]) => row['note'])).toEqual([null, 'ALREADY_OFFERED'])
  })

  test('9 b→a meanwhile: consent, ANALYZING, no gap, READY: both REVEALED in that entry, both are told', () => {
    expect(world.consent(B)).toMatchObject({ status: 'ANALYZING', waitingForPartner: false })
    for (const user of [A, B]) world.told(user)
    world.analysis(B)
    expect([world.status(A), world.status(B)]).toEqual(['REVEALED', 'REVEALED'])
    for (const user of [A, B]) expect(world.topics(user)).toEqual(['empathy.revealed', 'empathy.revealed'])
  })

  test('10 b sends it back: REFINING; a resubmits, no gap: REVEALED alone', () => {
    expect(world.ok(B, 'validate', { validated: false, feedback: 'I was not angry.' })).toMatchObject({
      validated: false,
      awaitingRevision: true,
    })
    expect(world.status()).toBe('REFINING')
    world.ok(A, 'resubmit', { content: 'You were ill, and calm.' })
    world.analysis(A, result())
    expect([world.status(A), world.status(B)]).toEqual(['REVEALED', 'REVEALED'])
  })

  test('11 both validate, and both go on', () => {
    expect(world.ok(B, 'validate', { validated: true })).toEqual({
      validated: true,
      awaitingRevision: false,
      partnerValidated: false,
    })
    expect(world.ok(A, 'validate', { validated: true })).toMatchObject({ partnerValidated: true })
    expect([world.status(A), world.status(B)]).toEqual(['VALIDATED', 'VALIDATED'])
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 2, toStage: 3 }, 'gates')
  })
})
