import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { compareIds, idOf, numberIn } from '../../../../src/machines/gates/facts/ids.ts'
import { overlapOf } from '../../../../src/machines/index.ts'
import { A, at, B, FACILITATOR, type Answer, type World } from '../world.ts'

/** Numbers, not texts: the tenth comes behind the ninth, and "latest" is what came last. */

const idsOf = (list: Value | undefined): readonly unknown[] => (list as readonly Answer[]).map(({ id }) => id)
const numbered = (kind: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, number) => `${kind}-${number + 1}`)

describe('domain.md §0.2 ids come from counters', () => {
  test('an id is a kind and a number, and nothing else is one', () => {
    expect(numberIn('evt', idOf('evt', 12))).toBe(12)
    for (const wrong of ['evt-0', 'evt-01', 'evt-', 'evt-1x', 'bnd-1', 'evt', '', `evt-${'9'.repeat(16)}`]) {
      expect(numberIn('evt', wrong)).toBe(0)
    }
    expect([...numbered('str', 11)].reverse().sort(compareIds)).toEqual(numbered('str', 11))
    expect(compareIds('str-1', 'str-1')).toBe(0)
  })

  test('events and boundaries beyond the ninth: in their order, and the latest are the ones that were written last', () => {
    const world = at(1)
    for (let count = 1; count <= 60; count += 1) {
      world.ok(A, 'recordEvent', { description: `event ${count}`, attributedTo: 'OWN' })
      if (count <= 30) world.ok(A, 'recordBoundary', { description: `boundary ${count}`, nonNegotiable: true })
    }
    const { events, boundaries } = world.answer(A, 'vessel')
    expect(idsOf(events)).toEqual(numbered('evt', 60))
    expect(idsOf(boundaries)).toEqual(numbered('bnd', 30))
    const query = { type: 'user_event', vessel: 'user', source: 'structured', userId: A }
    const latest = [...numbered('evt', 60)].reverse().slice(0, 50)
    expect(world.ok(A, 'retrieve', { queries: [query] })['bundle']).toMatchObject([{ itemIds: latest }])
    for (const stage of [1, 2]) world.leave(stage)
    const { payload } = world.task('needs.synthesize') as unknown as { payload: { events: Value; boundaries: Value } }
    const expected = (kind: string, last: number) => Array.from({ length: 20 }, (_, back) => `${kind} ${last - back}`)
    expect(payload.events).toEqual(expected('event', 60))
    expect(payload.boundaries).toEqual(expected('boundary', 30))
  })

  test('needs, common ground, the pool, agreements and consents beyond the ninth are in the order in which they came', () => {
    const world = at(3)
    for (let count = 0; count < 11; count += 1) world.need(A)
    expect(idsOf(world.answer(A, 'needs')['own'])).toEqual(numbered('need', 11))
    const [needA, needB] = [world.share(A, 'need-1'), world.share(B, world.need(B))]
    const item = { need: 'n', category: 'SAFETY', description: 'd', needA, needB }
    for (let count = 0; count < 11; count += 1) world.ok(A, 'proposeCommonGround', item)
    expect(idsOf(world.answer(B, 'commonGround')['items'])).toEqual(numbered('cg', 11))
    world.ok(B, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-11', confirmed: true }] })
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 3, toStage: 4 })
    const pool = Array.from({ length: 11 }, () => world.strategy(A))
    expect(idsOf(world.answer(A, 'strategies')['strategies'])).toEqual(pool)
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    // Equal sums of ranks: the one that was proposed first.
    world.ok(A, 'submitRanking', { rankedIds: ['str-10', 'str-9'] })
    expect(world.ok(B, 'submitRanking', { rankedIds: ['str-9', 'str-10'] })['overlap']).toEqual(['str-9', 'str-10'])
    for (let count = 0; count < 11; count += 1) world.agreement(A)
    expect((world.ask(A, 'agreements').value as readonly Answer[]).map(({ id }) => id)).toEqual(numbered('agr', 11))
    world.ok(A, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
    for (let count = 0; count < 11; count += 1) world.granted(A, 'EVENT_SUMMARY', 'evt-1')
    const { own } = world.answer(A, 'sharedContent') as { own: readonly Answer[] }
    expect(own.map(({ consentId }) => consentId)).toEqual(['con-1', ...numbered('con', 13).slice(2)])
  })

  test('the overlap is ordered by the numbers of strategies', () => {
    expect(overlapOf(['str-10', 'str-9'], ['str-9', 'str-10'])).toEqual(['str-9', 'str-10'])
  })
})

describe('domain.md §2.7 ids tell nobody what somebody else did', () => {
  /** The ids that A gets, whatever B does in between. */
  function idsGiven(between: (world: World) => void): readonly unknown[] {
    const world = at(3)
    const given: unknown[] = []
    for (let round = 0; round < 2; round += 1) {
      given.push(world.ok(A, 'recordEvent', { description: 'd', attributedTo: 'OWN' })['id'])
      given.push(world.ok(A, 'recordBoundary', { description: 'd', nonNegotiable: true })['id'])
      const needId = world.need(A)
      given.push(needId, world.share(A, needId))
      given.push((world.ok(A, 'recordEmotion', { intensity: 3 }, 'session')['reading'] as Answer)['id'])
      world.harness.advance(60_000)
      between(world)
    }
    return given
  }

  test('neither what the partner keeps, nor what the partner was asked to share', () => {
    const busy = (world: World): void => {
      world.ok(B, 'recordEvent', { description: 'd', attributedTo: 'OWN' })
      world.ok(B, 'recordBoundary', { description: 'd', nonNegotiable: true })
      world.need(B)
      world.ok(B, 'recordEmotion', { intensity: 3 }, 'session')
      const given = { owner: B, contentType: 'EVENT_SUMMARY', originalId: 'evt-1', transformedPreview: 'x' }
      const { consentId = null } = world.ok(FACILITATOR, 'proposeConsent', given)
      world.ok(B, 'decideConsent', { consentId, decision: 'DENIED' })
    }
    expect(idsGiven(busy)).toEqual(idsGiven(() => undefined))
  })
})
