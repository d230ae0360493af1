import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  advanceRefusal,
  overlapOf,
  type GateFacts,
  type PersonFacts,
  type Stage,
} from '../../../../src/machines/index.ts'
import { sample } from '../../../effort.ts'

const person = (user: string, stage: Stage, more: Partial<PersonFacts> = {}): PersonFacts => ({
  user,
  stage,
  completed: false,
  signed: true,
  feelHeard: true,
  draftReady: true,
  attemptShared: true,
  attemptValidated: true,
  needsConfirmed: true,
  strategiesReady: false,
  ranked: false,
  todo: false,
  ...more,
})

const facts = (own: PersonFacts, partner: PersonFacts, confirmedBy = ['u', 'v']): GateFacts => ({
  people: [own, partner],
  commonGround: [{ confirmedBy }],
  overlapFound: false,
  agreements: [],
})

describe('domain.md §2.5 the order of checks of advanceStage', () => {
  test('2 a step that is none comes before missing keys', () => {
    const nothing = facts(person('u', 1, { feelHeard: false }), person('v', 1))
    expect(advanceRefusal(nothing, 'u', { fromStage: 1, toStage: 3 })).toEqual({
      error: 'INVALID_STAGE_TRANSITION',
      actual: 1,
    })
    expect(advanceRefusal(nothing, 'u', { fromStage: 0, toStage: 1 })?.error).toBe('INVALID_STAGE_TRANSITION')
    expect(advanceRefusal(nothing, 'somebody', { fromStage: 1, toStage: 2 })).toEqual({
      error: 'INVALID_STAGE_TRANSITION',
      actual: null,
    })
  })

  test('3 missing keys are named in the order of the table', () => {
    const none = { draftReady: false, attemptShared: false, attemptValidated: false }
    expect(
      advanceRefusal(facts(person('u', 2, none), person('v', 2, none)), 'u', { fromStage: 2, toStage: 3 }),
    ).toEqual({
      error: 'GATES_NOT_SATISFIED',
      unsatisfied: ['empathyDraftReady', 'empathyConsented', 'partnerConsented', 'partnerValidated'],
    })
  })

  test('4 the partner’s keys of stage 3, or the partner at 4 already', () => {
    const own = person('u', 3)
    const step = { fromStage: 3, toStage: 4 }
    expect(advanceRefusal(facts(own, person('v', 3)), 'u', step)).toBeNull()
    expect(advanceRefusal(facts(own, person('v', 4)), 'u', step)).toBeNull()
    // The keys of stage 3 are symmetric, so whatever fails the fourth check fails the third one first (C11).
    const late = facts(own, person('v', 3, { needsConfirmed: false }))
    expect(advanceRefusal(late, 'u', step)?.error).toBe('GATES_NOT_SATISFIED')
  })

  test('stage 0 is sequential: nobody goes on before both have signed', () => {
    const step = { fromStage: 0, toStage: 1 }
    expect(advanceRefusal(facts(person('u', 0), person('v', 0, { signed: false })), 'u', step)).not.toBeNull()
    expect(advanceRefusal(facts(person('u', 0), person('v', 0)), 'u', step)).toBeNull()
  })

  test('stage 1 needs the own key alone (C06)', () => {
    const step = { fromStage: 1, toStage: 2 }
    expect(advanceRefusal(facts(person('u', 1), person('v', 1, { feelHeard: false })), 'u', step)).toBeNull()
  })
})

describe('domain.md §2.4 the overlap rule', () => {
  test.each([
    { one: ['a', 'b', 'c'], two: ['c', 'b', 'a'], both: ['a', 'b', 'c'] },
    { one: ['b', 'a'], two: ['b', 'a'], both: ['b', 'a'] },
    { one: ['a', 'b', 'c', 'd'], two: ['d', 'e', 'f', 'a'], both: [] },
    { one: ['x', 'y', 'a'], two: ['a', 'x'], both: ['x', 'a'] },
    { one: ['a'], two: ['b'], both: [] },
  ])('$one and $two have $both in common', ({ one, two, both }) => {
    expect(overlapOf(one, two)).toEqual(both)
  })

  test('domain.md §2.11 PG7 it is the same whoever is named first', () => {
    const ranking = fc.shuffledSubarray(['str-1', 'str-2', 'str-3', 'str-10', 'str-11'], { minLength: 1 })
    fc.assert(
      fc.property(ranking, ranking, (one, two) => {
        expect(overlapOf(one, two)).toEqual(overlapOf(two, one))
      }),
      { numRuns: sample(500) },
    )
  })
})
