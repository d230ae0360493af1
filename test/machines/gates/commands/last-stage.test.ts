import { describe, expect, test } from 'vitest'
import { A, B, SID, QUEUE_DEADLINE_MS, at, toldBy } from '../world.ts'

describe('domain.md §2.3 commands of stage 4', () => {
  test('proposeStrategy: needs must be visible; the partner is told a number; the pool closes with RANKING', () => {
    const world = at(4)
    expect(world.code(A, 'proposeStrategy', { description: 'd', needsAddressed: ['cg-9'] })).toBe('VALIDATION_ERROR')
    const given = { description: 'd', needsAddressed: ['cg-1'], duration: 'a week', measureOfSuccess: 'we did' }
    expect(toldBy(world, B, () => world.ok(A, 'proposeStrategy', given))).toEqual([
      ['strategies.updated', { sid: SID, total: 1 }],
    ])
    expect(world.answer(B, 'strategies')['strategies']).toMatchObject([{ id: 'str-1', source: 'USER', ...given }])
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    for (const [name, input] of [
      ['proposeStrategy', { description: 'd' }],
      ['requestSuggestions', {}],
      ['markStrategiesReady', {}],
    ] as const) {
      expect(world.refused(A, name, input)).toEqual({ code: 'PHASE_CLOSED', value: { phase: 'RANKING' } })
    }
  })

  test('proposeStrategy: at most fifty', () => {
    const world = at(4)
    for (let count = 0; count < 50; count += 1) world.strategy(A)
    expect(world.refused(B, 'proposeStrategy', { description: 'd' }).value).toEqual({ reason: 'TOO_MANY', max: 50 })
  })

  test('requestSuggestions: confirmed common ground and the library, nobody’s own words; one task at a time', () => {
    const world = at(4)
    world.strategy(A, 'a secret of mine')
    expect(world.code(A, 'requestSuggestions', { focusNeeds: ['cg-9'] })).toBe('VALIDATION_ERROR')
    expect(world.ok(A, 'requestSuggestions', { count: 1, focusNeeds: ['cg-1'] })).toEqual({ already: false })
    expect(world.ok(B, 'requestSuggestions')).toEqual({ already: true })
    const { payload } = world.task('strategies.suggest')
    expect(payload).toMatchObject({ sid: SID, count: 1, commonGround: [{ id: 'cg-1', description: 'both want rest' }] })
    expect(JSON.stringify(payload)).not.toContain('secret')
    world.analyst()
    const ideas = [{ description: 'one', needsAddressed: ['cg-1', 'cg-9'] }, { description: 'two' }]
    world.complete('strategies.suggest', { strategies: ideas })
    expect(world.answer(A, 'strategies')['strategies']).toMatchObject([
      { source: 'USER' },
      { source: 'AI_SUGGESTED', description: 'one', needsAddressed: ['cg-1'] },
    ])
  })

  test('markStrategiesReady: NO_STRATEGIES, unless one declares to have none', () => {
    const world = at(4)
    world.strategy(B)
    expect(world.code(A, 'markStrategiesReady')).toBe('NO_STRATEGIES')
    expect(toldBy(world, B, () => world.ok(A, 'markStrategiesReady', { declareNone: true }))).toEqual([
      ['strategies.ready', { sid: SID }],
    ])
  })

  test('markStrategiesReady: with an empty pool ideas are fetched, and then ranked (C28)', () => {
    const world = at(4)
    for (const user of [A, B]) world.ok(user, 'markStrategiesReady', { declareNone: true })
    expect(world.answer(A, 'strategies')['phase']).toBe('COLLECTING')
    world.analyst()
    world.complete('strategies.suggest', { strategies: [{ description: 'one' }] })
    expect(world.answer(A, 'strategies')['phase']).toBe('RANKING')
  })

  test('markStrategiesReady: nobody is ready any more when no ideas come', () => {
    const world = at(4)
    for (const user of [A, B]) world.ok(user, 'markStrategiesReady', { declareNone: true })
    world.harness.advance(QUEUE_DEADLINE_MS)
    expect(world.harness.tasks.filter(({ kind }) => kind === 'strategies.suggest')).toEqual([])
    expect(world.answer(A, 'gates', { stage: 4 })['strategiesSubmitted']).toBe(false)
    world.strategy(A)
    world.ok(A, 'markStrategiesReady')
    expect(world.ok(B, 'markStrategiesReady', { declareNone: true })).toMatchObject({ phase: 'RANKING' })
  })

  test('submitRanking: may be changed until both are in, then it is closed', () => {
    const world = at(4)
    const pool = [world.strategy(A), world.strategy(B)]
    for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
    world.ok(A, 'submitRanking', { rankedIds: pool })
    expect(toldBy(world, B, () => world.ok(A, 'submitRanking', { rankedIds: [...pool].reverse() }))).toEqual([
      ['partner.ranking_submitted', { sid: SID }],
    ])
    expect(toldBy(world, A, () => world.ok(B, 'submitRanking', { rankedIds: pool }))).toEqual([
      ['partner.ranking_submitted', { sid: SID }],
      ['strategies.overlap', { sid: SID, count: 2 }],
    ])
    expect(world.code(A, 'submitRanking', { rankedIds: pool })).toBe('PHASE_CLOSED')
  })

  test('reopenStrategies: NEGOTIATING alone; ready, rankings and overlap are gone', () => {
    const world = at(4)
    expect(world.code(A, 'reopenStrategies')).toBe('PHASE_CLOSED')
    world.rank([['str-1'], ['str-2']])
    expect(world.answer(A, 'strategies')['phase']).toBe('NEGOTIATING')
    world.ok(B, 'reopenStrategies')
    expect(world.answer(A, 'strategies')['phase']).toBe('COLLECTING')
    expect(world.answer(A, 'gates', { stage: 4 })).toEqual({
      strategiesSubmitted: false,
      rankingsSubmitted: false,
      overlapIdentified: false,
      agreementCreated: false,
    })
  })

  test('createAgreement: after the overlap, of the pool, with a follow-up to come', () => {
    const world = at(4)
    const terms = { description: 'd', type: 'CHECK_IN' }
    expect(world.refused(A, 'createAgreement', terms)).toEqual({
      code: 'GATES_NOT_SATISFIED',
      value: { unsatisfied: ['overlapIdentified'] },
    })
    world.rank()
    expect(world.code(A, 'createAgreement', { ...terms, strategyId: 'str-9' })).toBe('VALIDATION_ERROR')
    expect(world.code(A, 'createAgreement', { ...terms, followUpAt: world.harness.now })).toBe('VALIDATION_ERROR')
    const more = {
      strategyId: 'str-1',
      followUpAt: world.harness.now + 1_000_000,
      duration: 'a week',
      measureOfSuccess: 'm',
    }
    expect(toldBy(world, B, () => world.ok(A, 'createAgreement', { ...terms, ...more }))).toEqual([
      ['agreement.proposed', { sid: SID, id: 'agr-1' }],
    ])
    for (let count = 1; count < 50; count += 1) world.ok(A, 'createAgreement', terms)
    expect(world.refused(A, 'createAgreement', terms).value).toEqual({ reason: 'TOO_MANY', max: 50 })
    // One goes and one comes.
    const answer = { agreementId: 'agr-1', confirmed: false, modification: 'other words' }
    expect(world.ok(B, 'confirmAgreement', answer)).toMatchObject({ replacedBy: 'agr-51' })
  })

  test('confirmAgreement: the proposer CONFLICT, an ended one INVALID_STATE_TRANSITION, else both are told', () => {
    const world = at(4)
    world.rank()
    const agreementId = world.agreement(A)
    expect(world.code(B, 'confirmAgreement', { agreementId: 'agr-9', confirmed: true })).toBe('NOT_FOUND')
    expect(world.code(A, 'confirmAgreement', { agreementId, confirmed: true })).toBe('CONFLICT')
    const other = { agreementId, confirmed: false, modification: 'on Mondays' }
    expect(world.ok(B, 'confirmAgreement', other)).toEqual({
      status: 'ABANDONED',
      replacedBy: 'agr-2',
    })
    expect(world.refused(B, 'confirmAgreement', { agreementId, confirmed: true })).toEqual({
      code: 'INVALID_STATE_TRANSITION',
      value: { entity: 'agreement', from: 'ABANDONED', event: 'confirmAgreement', allowed: [] },
    })
    expect(toldBy(world, B, () => world.ok(A, 'confirmAgreement', { agreementId: 'agr-2', confirmed: true }))).toEqual([
      ['agreement.confirmed', { sid: SID, id: 'agr-2' }],
    ])
    expect(world.answer(B, 'agreements')).toMatchObject([
      { status: 'ABANDONED' },
      { status: 'AGREED', description: 'on Mondays' },
    ])
  })

  test('confirmAgreement: while strategies are collected anew the phase goes on', () => {
    const world = at(4)
    world.rank([['str-1'], ['str-2']])
    const agreementId = world.agreement(A)
    world.ok(A, 'reopenStrategies')
    world.ok(B, 'confirmAgreement', { agreementId, confirmed: true })
    expect(world.answer(A, 'strategies')['phase']).toBe('COLLECTING')
    for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
    for (const user of [A, B]) world.ok(user, 'submitRanking', { rankedIds: ['str-1'] })
    expect(world.code(B, 'resolve', {}, 'session')).toBe('ok')
  })
})
