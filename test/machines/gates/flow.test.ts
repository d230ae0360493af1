import { describe, expect, test } from 'vitest'
import { A, B, SID, World } from './world.ts'

/** A lock step through the whole dialogue; attempts are a stub's, because the machine of the exchange is planned. */
describe('domain.md §2.9 canonical flow', () => {
  const world = new World()
  world.begin()
  world.analyst()
  for (const user of [A, B]) world.told(user)
  const display = (): unknown => world.answer(A, 'get', {}, 'session')['displayStatus']

  test('1 a signs; b is told, and a waits', () => {
    expect(world.ok(A, 'signCompact', { agreed: true })).toMatchObject({
      signed: true,
      partnerSigned: false,
      canAdvance: false,
    })
    expect(world.told(B)).toEqual([['partner.signed_compact', { sid: SID }]])
    expect(display()).toBe('WAITING')
  })

  test('2 a cannot go on alone', () => {
    expect(world.refused(A, 'advanceStage', { fromStage: 0, toStage: 1 })).toEqual({
      code: 'GATES_NOT_SATISFIED',
      value: { unsatisfied: ['partnerCompactSigned'] },
    })
  })

  test('3 b signs, and both go on; the other is told each time', () => {
    expect(world.ok(B, 'signCompact', { agreed: true })).toMatchObject({ partnerSigned: true, canAdvance: true })
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 0, toStage: 1 })
    expect(world.told(A)).toEqual([
      ['partner.signed_compact', { sid: SID }],
      ['partner.advanced', { sid: SID, toStage: 1 }],
    ])
    expect(world.told(B)).toEqual([['partner.advanced', { sid: SID, toStage: 1 }]])
  })

  test('4 a feels heard and goes on, though b does not yet', () => {
    expect(world.ok(A, 'confirmFeelHeard', { confirmed: true })).toMatchObject({
      canAdvance: true,
      partnerCompleted: false,
    })
    world.ok(A, 'advanceStage', { fromStage: 1, toStage: 2 })
    expect(world.told(B)).toEqual([
      ['partner.stage_completed', { sid: SID, stage: 1 }],
      ['partner.advanced', { sid: SID, toStage: 2 }],
    ])
    // The founding rule of stage 1 to the letter: exactly one has passed it.
    expect(display()).toBe('WAITING')
  })

  test('5 a drafts and shares; it is held', () => {
    expect(world.ok(A, 'saveEmpathyDraft', { content: 'you were tired', readyToShare: true })).toEqual({
      version: 1,
      ready: true,
    })
    world.attempt(A, 'HELD')
  })

  test('6 b feels heard, follows, drafts and shares', () => {
    world.ok(B, 'confirmFeelHeard', { confirmed: true })
    world.ok(B, 'advanceStage', { fromStage: 1, toStage: 2 })
    world.ok(B, 'saveEmpathyDraft', { content: 'you were alone', readyToShare: true })
    for (const user of [A, B]) world.attempt(user, 'ANALYZING')
  })

  test('7 both are revealed', () => {
    for (const user of [A, B]) world.attempt(user, 'REVEALED')
    expect(world.refused(A, 'advanceStage', { fromStage: 2, toStage: 3 }).value).toEqual({
      unsatisfied: ['partnerValidated'],
    })
  })

  test('8 both are validated, and both go on; a worker looks for the needs of each', () => {
    for (const user of [A, B]) world.attempt(user, 'VALIDATED')
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 2, toStage: 3 })
    expect(world.harness.tasks.map(({ kind, ref }) => [kind, ref])).toEqual([
      ['needs.synthesize', SID],
      ['needs.synthesize', SID],
    ])
  })

  test('9 needs are confirmed and shared, common ground is found and confirmed, and both go on', () => {
    const found = (need: string) => ({ need, category: 'SAFETY', description: need, evidence: ['x'], confidence: 80 })
    world.complete('needs.synthesize', { needs: [found('rest'), found('quiet')] })
    world.complete('needs.synthesize', { needs: [found('rest'), found('time')] })
    for (const [user, ids] of [
      [A, ['need-1', 'need-2']],
      [B, ['need-1', 'need-2']],
    ] as const) {
      const confirmations = ids.map((needId) => ({ needId, confirmed: true }))
      expect(world.ok(user, 'confirmNeeds', { confirmations })).toEqual({ allConfirmed: true, canShare: true })
      world.ok(user, 'shareNeeds', { needIds: [ids[0]] })
    }
    const item = { need: 'rest', category: 'SAFETY', description: 'rest', sourceNeedA: 'con-1', sourceNeedB: 'con-2' }
    world.complete('common_ground.analyze', { items: [item] })
    for (const user of [A, B])
      world.ok(user, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-1', confirmed: true }] })
    for (const user of [A, B]) world.ok(user, 'advanceStage', { fromStage: 3, toStage: 4 })
  })

  test('10 strategies are proposed, ranked and laid side by side', () => {
    for (const user of [A, B]) world.strategy(user)
    world.ok(A, 'markStrategiesReady')
    expect(world.ok(B, 'markStrategiesReady')).toMatchObject({ phase: 'RANKING' })
    world.ok(A, 'submitRanking', { rankedIds: ['str-1', 'str-2'] })
    expect(world.ok(B, 'submitRanking', { rankedIds: ['str-2'] })).toEqual({ phase: 'REVEALING', overlap: ['str-2'] })
  })

  test('11 one agreement, and the dialogue is resolved', () => {
    world.agreement(A, { strategyId: 'str-2' })
    expect(world.ok(B, 'confirmAgreement', { agreementId: 'agr-1', confirmed: true })).toMatchObject({
      status: 'AGREED',
    })
    expect(world.answer(A, 'strategies')['phase']).toBe('AGREED')
    world.ok(A, 'resolve', {}, 'session')
    expect(display()).toBe('RESOLVED')
    expect(world.harness.tasks).toEqual([])
  })
})
