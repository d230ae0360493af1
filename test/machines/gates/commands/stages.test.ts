import { describe, expect, test } from 'vitest'
import { A, B, SID, type Answer, at, toldBy } from '../world.ts'

const WRONG: readonly (readonly [command: string, input: Answer, stages: readonly number[]])[] = [
  ['signCompact', { agreed: true }, [0]],
  ['confirmFeelHeard', { confirmed: true }, [1]],
  ['recordEvent', { description: 'd', attributedTo: 'OWN' }, [1, 2, 3, 4]],
  ['recordBoundary', { description: 'd', nonNegotiable: true }, [1, 2, 3, 4]],
  ['saveEmpathyDraft', { content: 'c' }, [2]],
  ['addNeed', { need: 'n', category: 'SAFETY', description: 'd' }, [3]],
  ['confirmNeeds', { confirmations: [{ needId: 'need-9', confirmed: true }] }, [3]],
  ['shareNeeds', { needIds: ['need-9'] }, [3, 4]],
  ['requestCommonGround', {}, [3]],
  ['proposeCommonGround', { need: 'n', category: 'SAFETY', description: 'd', needA: 'con-9', needB: 'con-9' }, [3]],
  ['confirmCommonGround', { confirmations: [{ cgId: 'cg-9', confirmed: true }] }, [3, 4]],
  ['proposeStrategy', { description: 'd' }, [4]],
  ['requestSuggestions', {}, [4]],
  ['markStrategiesReady', {}, [4]],
  ['submitRanking', { rankedIds: ['str-9'] }, [4]],
  ['reopenStrategies', {}, [4]],
  ['createAgreement', { description: 'd', type: 'CHECK_IN' }, [4]],
  ['confirmAgreement', { agreementId: 'agr-9', confirmed: true }, [4]],
]

describe('domain.md §2.3 the column stage', () => {
  test.each([0, 1, 2, 3, 4])(
    'at stage %i every command of another stage is WRONG_STAGE, and none of this one is',
    (stage) => {
      const world = at(stage)
      for (const [command, input, stages] of WRONG) {
        const { code, value } = world.send(A, command, { sid: SID, ...input })
        // What was done before is done: a repeat after going on is one, and is answered as one.
        if (command === 'signCompact' && stage > 0) expect(code).toBe('CONFLICT')
        else if (command === 'confirmFeelHeard' && stage > 1) expect(value).toMatchObject({ already: true })
        else if (stages.includes(stage)) expect(code, command).not.toBe('WRONG_STAGE')
        else expect([code, value], command).toEqual(['WRONG_STAGE', { required: stages, actual: stage }])
      }
    },
  )
})

describe('domain.md §2.3 commands of stages 0 to 3', () => {
  test('confirmFeelHeard: false says nothing; true twice is `already`; taking it back is CONFLICT', () => {
    const world = at(1)
    expect(world.ok(A, 'confirmFeelHeard', { confirmed: false })).toMatchObject({ confirmed: false, canAdvance: false })
    world.ok(A, 'confirmFeelHeard', { confirmed: true })
    expect(toldBy(world, B, () => world.ok(A, 'confirmFeelHeard', { confirmed: true }))).toEqual([])
    expect(world.ok(A, 'confirmFeelHeard', { confirmed: true })).toMatchObject({ already: true })
    expect(world.code(A, 'confirmFeelHeard', { confirmed: false })).toBe('CONFLICT')
  })

  test('recordEvent, recordBoundary: own and nobody else’s', () => {
    const world = at(1)
    world.ok(A, 'recordEvent', { description: ' late ', attributedTo: 'PARTNER', emotions: ['anger'] })
    world.ok(A, 'recordBoundary', { description: 'no shouting', nonNegotiable: true })
    expect(world.answer(A, 'vessel')).toMatchObject({
      events: [{ id: 'evt-1', description: 'late', emotions: ['anger'] }],
      boundaries: [{ id: 'bnd-1', nonNegotiable: true }],
    })
    expect(world.answer(B, 'vessel')).toEqual({ events: [], boundaries: [], next: null })
  })

  test('recordEvent and recordBoundary: as many as there is room for', () => {
    const world = at(1)
    const boundary = { description: 'd', nonNegotiable: false }
    for (let count = 0; count < 50; count += 1) world.ok(A, 'recordBoundary', boundary)
    expect(world.code(A, 'recordBoundary', boundary)).toBe('VALIDATION_ERROR')
    for (let count = 0; count < 200; count += 1) world.ok(A, 'recordEvent', { description: 'd', attributedTo: 'OWN' })
    expect(world.code(A, 'recordEvent', { description: 'd', attributedTo: 'OWN' })).toBe('VALIDATION_ERROR')
  })

  test('saveEmpathyDraft: versions count up and ready stays as it was said last', () => {
    const world = at(2)
    expect(world.ok(A, 'saveEmpathyDraft', { content: 'a' })).toEqual({ version: 1, ready: false })
    expect(world.ok(A, 'saveEmpathyDraft', { content: 'b', readyToShare: true })).toEqual({ version: 2, ready: true })
    expect(world.ok(A, 'saveEmpathyDraft', { content: 'c' })).toEqual({ version: 3, ready: true })
    expect(world.answer(A, 'draft')).toMatchObject({ content: 'c', version: 3 })
    expect(world.ask(B, 'draft')).toEqual({ code: 'ok', value: null })
  })

  test('addNeed: at most twenty', () => {
    const world = at(3)
    const need = { need: 'n', category: 'SAFETY', description: 'd' }
    for (let count = 0; count < 20; count += 1) world.ok(A, 'addNeed', need)
    expect(world.refused(A, 'addNeed', need).value).toEqual({ reason: 'TOO_MANY', max: 20 })
  })

  test('confirmNeeds: every undecided need is covered, ids are own and named once, shared ones stay', () => {
    const world = at(3)
    for (const user of [A, A, B]) world.ok(user, 'addNeed', { need: 'n', category: 'SAFETY', description: 'd' })
    const confirm = (...ids: readonly string[]) => ({
      confirmations: ids.map((needId) => ({ needId, confirmed: true })),
    })
    expect(world.refused(A, 'confirmNeeds', confirm('need-1')).value).toEqual({ reason: 'UNDECIDED', needId: 'need-2' })
    expect(world.refused(A, 'confirmNeeds', confirm('need-1', 'need-2', 'need-9')).value).toMatchObject({
      reason: 'NOT_OWN',
    })
    expect(world.refused(A, 'confirmNeeds', confirm('need-1', 'need-1')).value).toMatchObject({ reason: 'NOT_OWN' })
    expect(toldBy(world, B, () => world.ok(A, 'confirmNeeds', confirm('need-1', 'need-2')))).toEqual([
      ['partner.needs_confirmed', { sid: SID }],
    ])
    // The key was true before, so nobody hears of it again.
    expect(toldBy(world, B, () => world.ok(A, 'confirmNeeds', confirm('need-1')))).toEqual([])
    world.share(A, 'need-1')
    expect(world.code(A, 'confirmNeeds', confirm('need-1'))).toBe('ok')
    const other = { confirmations: [{ needId: 'need-1', confirmed: false }] }
    expect(world.refused(A, 'confirmNeeds', other).value).toEqual({ reason: 'SHARED', needId: 'need-1' })
  })

  test('shareNeeds: confirmed own ones; the adjusted wording; a second time changes nothing', () => {
    const world = at(3)
    const { needId } = world.ok(A, 'addNeed', { need: 'n', category: 'SAFETY', description: 'as it was' })
    const id = String(needId)
    expect(world.refused(A, 'shareNeeds', { needIds: [id] }).value).toEqual({ reason: 'NOT_CONFIRMED', needId: id })
    world.ok(A, 'confirmNeeds', { confirmations: [{ needId: id, confirmed: true, adjustment: 'in other words' }] })
    expect(world.code(B, 'shareNeeds', { needIds: [id] })).toBe('VALIDATION_ERROR')
    expect(toldBy(world, B, () => world.ok(A, 'shareNeeds', { needIds: [id, id] }))).toEqual([
      ['partner.needs_shared', { sid: SID, count: 1 }],
    ])
    expect(toldBy(world, B, () => world.ok(A, 'shareNeeds', { needIds: [id] }))).toEqual([])
    expect(world.ok(A, 'shareNeeds', { needIds: [id] })).toEqual({ consentIds: ['con-1'], shared: 0 })
    expect(world.answer(B, 'needs')['partner']).toMatchObject([{ transformedContent: 'in other words' }])
  })

  test('shareNeeds: when both have shared, common ground is looked for, once', () => {
    const world = at(3)
    world.share(A, world.need(A))
    const kinds = (): readonly string[] =>
      world.harness.tasks.map(({ kind }) => kind).filter((kind) => kind.startsWith('common'))
    expect(kinds()).toEqual([])
    world.share(B, world.need(B))
    world.share(B, world.need(B, 'air'))
    expect(kinds()).toEqual(['common_ground.analyze'])
    expect(world.answer(A, 'commonGround')).toMatchObject({ analysis: 'RUNNING', analysisComplete: false })
  })

  test('requestCommonGround: both have shared, else PARTNER_NOT_READY; while it runs `already`', () => {
    const world = at(3)
    expect(world.refused(A, 'requestCommonGround')).toEqual({ code: 'PARTNER_NOT_READY', value: { stage: 3 } })
    world.share(A, world.need(A))
    world.share(B, world.need(B))
    expect(world.ok(A, 'requestCommonGround')).toEqual({ already: true })
    world.analyst()
    world.complete('common_ground.analyze', { items: [] })
    expect(world.ok(A, 'requestCommonGround')).toEqual({ already: false })
  })

  test('proposeCommonGround: one active shared need of each, at most twenty items; the partner is told', () => {
    const world = at(3)
    const [needA, needB] = [world.share(A, world.need(A)), world.share(B, world.need(B))]
    const item = { need: 'n', category: 'SAFETY', description: 'd', needA, needB }
    expect(world.code(A, 'proposeCommonGround', { ...item, needB: needA })).toBe('VALIDATION_ERROR')
    expect(world.code(A, 'proposeCommonGround', { ...item, needB: 'con-9' })).toBe('VALIDATION_ERROR')
    expect(toldBy(world, B, () => world.ok(A, 'proposeCommonGround', item))).toEqual([
      ['common_ground.ready', { sid: SID, count: 1 }],
    ])
    for (let count = 1; count < 20; count += 1) world.ok(B, 'proposeCommonGround', item)
    expect(world.refused(A, 'proposeCommonGround', item).value).toEqual({ reason: 'TOO_MANY', max: 20 })
  })

  test('confirmCommonGround: an unknown or hidden item is refused; a confirmation can be taken back', () => {
    const world = at(3)
    const { cgId, consents } = world.findCommonGround()
    const confirm = (confirmed: boolean) => ({ confirmations: [{ cgId, confirmed }] })
    expect(world.ok(A, 'confirmCommonGround', confirm(true))).toEqual({
      allConfirmedByMe: true,
      allConfirmedByBoth: true,
      canAdvance: true,
    })
    expect(world.ok(A, 'confirmCommonGround', confirm(false))).toMatchObject({
      allConfirmedByMe: false,
      canAdvance: false,
    })
    expect(world.code(A, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-9', confirmed: true }] })).toBe(
      'VALIDATION_ERROR',
    )
    world.ok(B, 'revokeConsent', { consentId: consents[1] })
    expect(world.code(A, 'confirmCommonGround', confirm(true))).toBe('VALIDATION_ERROR')
  })

  test('confirmCommonGround: also at stage 4, for a partner who is still at 3', () => {
    const world = at(3)
    const { cgId } = world.findCommonGround()
    world.ok(A, 'advanceStage', { fromStage: 3, toStage: 4 })
    world.ok(A, 'confirmCommonGround', { confirmations: [{ cgId, confirmed: false }] })
    expect(world.code(B, 'advanceStage', { fromStage: 3, toStage: 4 })).toBe('GATES_NOT_SATISFIED')
    world.ok(A, 'confirmCommonGround', { confirmations: [{ cgId, confirmed: true }] })
    expect(world.code(B, 'advanceStage', { fromStage: 3, toStage: 4 })).toBe('ok')
  })
})
