import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { sample } from '../../effort.ts'
import { A, at, B, FACILITATOR, type World } from './world.ts'

const NEED = { need: 'n', category: 'SAFETY', description: 'd' }

/** What the partner reads, in every way there is. */
const READS = [
  'progress',
  'compactStatus',
  'vessel',
  'draft',
  'needs',
  'commonGround',
  'strategies',
  'ranking',
  'overlap',
  'agreements',
  'consents',
  'sharedContent',
  'retrievals',
]
const QUERIES: Value = [
  ...['user_event', 'emotional_reading', 'need'].flatMap((type) =>
    [A, B].map((userId) => ({ type, vessel: 'user', source: 'structured', userId })),
  ),
  ...[A, B].map((userId) => ({ type: 'boundary', vessel: 'user', source: 'structured', userId })),
  { type: 'consented_content', vessel: 'shared', source: 'structured', consentActive: true },
  ...['common_ground', 'agreement', 'micro_experiment'].map((type) => ({
    type,
    vessel: 'shared',
    source: 'structured',
  })),
  { type: 'session_metadata', source: 'metadata' },
]
function everythingRead(world: World, by: string): string {
  const retrieved = world.retrieve(by, QUERIES as readonly Value[])
  return JSON.stringify([
    retrieved,
    ...READS.map((name) => world.ask(by, name)),
    world.ask(by, 'gates', { stage: 0 }),
    world.told(by),
  ])
}

/** A private act of B; `text` is what B wrote. */
const ACTS: readonly ((world: World, text: string) => unknown)[] = [
  (world, description) => world.code(B, 'recordEvent', { description, attributedTo: 'PARTNER' }),
  (world, description) => world.code(B, 'recordBoundary', { description, nonNegotiable: true }),
  (world, content) => world.code(B, 'saveEmpathyDraft', { content }),
  (world, description) => world.code(B, 'addNeed', { ...NEED, need: description, description }),
  (world, text) => world.code(B, 'postMessage', { text, emotionalIntensity: 5, emotionalContext: text }, 'session'),
  (world, text) =>
    world.code(FACILITATOR, 'proposeConsent', {
      owner: B,
      contentType: 'EVENT_SUMMARY',
      originalId: 'evt-1',
      transformedPreview: text,
    }),
  (world) => world.code(B, 'decideConsent', { consentId: 'ask-1', decision: 'DENIED' }),
]
const acts = fc.array(fc.nat({ max: ACTS.length - 1 }), { minLength: 1, maxLength: 12 })

// Those that hold after every entry are checked in test/machines/lists.
describe('domain.md §2.11 properties', () => {
  test('PG3 other private words of the partner leave every read as it was, byte for byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), acts, (stage, list) => {
        const [one, other] = ['aaaa', 'zzzz'].map((word) => {
          const world = at(stage)
          for (const [position, act] of list.entries()) ACTS[act]?.(world, `${word}${position}`)
          const read = everythingRead(world, A)
          expect(read).not.toContain(word)
          return read
        })
        expect(other).toBe(one)
      }),
      { numRuns: sample(8) },
    )
  })

  test('PG4 after a revocation nothing that the partner reads holds the content, in any later entry', () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 3, 4), acts, (stage, list) => {
        const world = at(stage)
        world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
        const consentId = world.granted(B, 'EVENT_SUMMARY', 'evt-1', 'wording')
        if (stage !== 3) expect(everythingRead(world, A)).toContain('wording')
        world.ok(B, 'revokeConsent', { consentId })
        for (const [position, act] of list.entries()) {
          expect(everythingRead(world, A)).not.toContain('wording')
          ACTS[act]?.(world, `later${position}`)
        }
        expect(everythingRead(world, A)).not.toContain('wording')
      }),
      { numRuns: sample(5) },
    )
  })

  test('PG9 swapping the authors of the pool leaves every read as it was', () => {
    const reads = (authors: readonly string[]): string => {
      const world = at(4)
      for (const [number, author] of authors.entries()) world.strategy(author, `idea ${number}`)
      for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
      // What each was told on the way is about numbers of proposals of the other.
      for (const user of [A, B]) world.told(user)
      return [A, B].map((user) => everythingRead(world, user)).join('\n')
    }
    expect(reads([B, A, A])).toBe(reads([A, B, B]))
  })

  test('PG7 the overlap does not depend on who submitted first', () => {
    const overlapAfter = (order: readonly string[]): Value => {
      const world = at(4)
      const pool = [A, B, A].map((user) => world.strategy(user))
      for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
      for (const user of order) world.ok(user, 'submitRanking', { rankedIds: user === A ? pool : [...pool].reverse() })
      return (world.answer(A, 'overlap') as { overlap: { ids: Value } }).overlap.ids
    }
    expect(overlapAfter([A, B])).toEqual(overlapAfter([B, A]))
  })

  test('PG10 two willing people come to the end without any worker', () => {
    const world = at(4)
    expect(world.harness.tasks.length).toBeGreaterThan(0)
    world.harness.advance('1d')
    world.rank()
    world.ok(B, 'confirmAgreement', { agreementId: world.agreement(), confirmed: true })
    world.ok(A, 'resolve', {}, 'session')
    expect(world.answer(A, 'get', {}, 'session')['status']).toBe('RESOLVED')
  })
})
