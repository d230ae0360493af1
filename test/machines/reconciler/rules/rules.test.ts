import { describe, expect, test } from 'vitest'
import {
  ANALYSES_MAX,
  breakerSkips,
  decideOffer,
  judgeResult,
  normalizeStatement,
  RESUBMITS_MAX,
} from '../../../../src/machines/index.ts'

describe('domain.md §4.2 offer(result)', () => {
  test.each([
    ['OFFER_SHARING', null, true],
    ['OFFER_SHARING', 'trust', true],
    ['OFFER_OPTIONAL', 'trust', true],
    ['OFFER_OPTIONAL', ' ', false],
    ['OFFER_OPTIONAL', null, false],
    ['PROCEED', 'trust', false],
    ['PROCEED', null, false],
  ] as const)('%s with the focus %s: %s', (action, focus, offered) => {
    expect(decideOffer(action, focus)).toBe(offered)
  })

  test.each([
    ['T3 an offer', 'OFFER_SHARING', false, 'OFFER'],
    ['T4 no offer', 'PROCEED', false, 'NO_GAP'],
    ['T4 no offer, offered before', 'PROCEED', true, 'NO_GAP'],
    ['T4 already offered', 'OFFER_SHARING', true, 'ALREADY_OFFERED'],
  ] as const)('%s', (_name, action, offeredBefore, verdict) => {
    expect(judgeResult({ action, focus: null }, offeredBefore)).toBe(verdict)
  })
})

describe('domain.md §4.6 the breaker', () => {
  test('three resubmissions are analysed, the fourth is not', () => {
    expect([1, 2, 3, 4, 5].map(breakerSkips)).toEqual([false, false, false, true, true])
    expect([RESUBMITS_MAX, ANALYSES_MAX]).toEqual([3, 4])
  })
})

describe('domain.md §4.4 a resubmission differs', () => {
  test.each([
    ['You Feel Alone', 'you feel alone'],
    ['  you feel alone\n', 'you feel alone'],
    ['you \t feel\n\nalone', 'you feel alone'],
    ['ПОГОВОРИМ, ÉMILIE', 'поговорим, émilie'],
  ])('%j is the same statement as %j', (one, other) => {
    expect(normalizeStatement(one)).toBe(normalizeStatement(other))
  })

  test('letters of which builds of Node.js may disagree whether they have two cases are left as they are', () => {
    expect(normalizeStatement('\u{10400}')).not.toBe(normalizeStatement('\u{10428}'))
  })

  test('another word makes another statement', () => {
    expect(normalizeStatement('you feel alone')).not.toBe(normalizeStatement('you felt alone'))
  })
})
