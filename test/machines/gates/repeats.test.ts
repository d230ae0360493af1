import { describe, expect, test } from 'vitest'
import { A, at, B, FACILITATOR, SID, toldBy } from './world.ts'

/** domain.md §0.5, 6 before 8: what was done already is done, also for somebody who has gone on. */
describe('domain.md §0.5 repeats', () => {
  test('a signature, feeling heard, decisions on needs and sharing, repeated after going on, are repeats', () => {
    const world = at(3)
    expect(world.code(A, 'signCompact', { agreed: true })).toBe('CONFLICT')
    expect(world.ok(A, 'confirmFeelHeard', { confirmed: true })).toMatchObject({ already: true, confirmed: true })
    expect(world.code(A, 'confirmFeelHeard', { confirmed: false })).toBe('CONFLICT')
    world.leave(3)
    const confirmed = { confirmations: [{ needId: 'need-1', confirmed: true }] }
    expect(toldBy(world, B, () => world.ok(A, 'confirmNeeds', confirmed))).toEqual([])
    const other = { confirmations: [{ needId: 'need-1', confirmed: false }] }
    expect(world.code(A, 'confirmNeeds', other)).toBe('WRONG_STAGE')
    expect(world.ok(A, 'shareNeeds', { needIds: ['need-1'] })).toEqual({ consentIds: ['con-1'], shared: 0 })
  })

  test('confirmAgreement: the same answer once more changes nothing and tells nobody', () => {
    const world = at(4)
    world.rank()
    const [one, two, three] = [world.agreement(A), world.agreement(A), world.agreement(A)]
    const yes = { agreementId: one, confirmed: true }
    const no = { agreementId: two, confirmed: false }
    const words = { agreementId: three, confirmed: false, modification: 'on Mondays' }
    for (const [input, answer] of [
      [yes, { status: 'AGREED', replacedBy: null }],
      [no, { status: 'ABANDONED', replacedBy: null }],
      [words, { status: 'ABANDONED', replacedBy: 'agr-4' }],
    ] as const) {
      expect(world.ok(B, 'confirmAgreement', input)).toEqual(answer)
      const again = (): unknown => world.ok(B, 'confirmAgreement', input)
      expect(toldBy(world, A, () => expect(again()).toEqual({ ...answer, duplicate: true }))).toEqual([])
    }
    for (const other of [
      { ...yes, confirmed: false },
      { ...no, confirmed: true },
      { ...no, modification: 'else' },
      { ...words, modification: 'else' },
    ]) {
      expect(world.code(B, 'confirmAgreement', other)).toBe('INVALID_STATE_TRANSITION')
    }
    expect(world.code(A, 'confirmAgreement', yes)).toBe('CONFLICT')
    expect(world.ask(A, 'agreements')).toMatchObject({ value: { length: 4 } })
  })

  test('other words for a proposal do not take over a follow-up that is past', () => {
    const world = at(4)
    world.rank()
    const followUpAt = world.harness.now + 1_000_000
    for (const past of [false, true]) {
      const agreementId = world.agreement(A, { followUpAt })
      if (past) world.harness.advance(2_000_000)
      const { replacedBy } = world.ok(B, 'confirmAgreement', { agreementId, confirmed: false, modification: 'else' })
      const shown = world.ask(A, 'agreements').value as readonly { id: string; followUpAt: number | null }[]
      expect(shown.find(({ id }) => id === replacedBy)?.followUpAt).toBe(past ? null : followUpAt)
    }
  })

  test('whoever took a consent back at stage 4 may share again, and the partner follows', () => {
    const world = at(3)
    const { consents } = world.findCommonGround()
    world.ok(A, 'advanceStage', { fromStage: 3, toStage: 4 })
    world.ok(A, 'revokeConsent', { consentId: consents[0] })
    const advance = { fromStage: 3, toStage: 4 }
    expect(world.code(B, 'advanceStage', advance)).toBe('GATES_NOT_SATISFIED')
    const needA = world.share(A, 'need-1')
    const item = { need: 'rest', category: 'SAFETY', description: 'rest', needA, needB: consents[1] }
    const { cgId = null } = world.ok(B, 'proposeCommonGround', item)
    world.ok(A, 'confirmCommonGround', { confirmations: [{ cgId, confirmed: true }] })
    expect(world.code(B, 'advanceStage', advance)).toBe('ok')
  })
})

describe('domain.md §2.3 bounds count what is alive', () => {
  test('common ground that rests on a revoked need takes no room, and goes', () => {
    const world = at(3)
    const needB = world.share(B, world.need(B))
    const propose = (): unknown => {
      const needA = world.share(A, 'need-1')
      const item = { need: 'n', category: 'SAFETY', description: 'd', needA, needB }
      for (let count = 0; count < 20; count += 1) world.ok(A, 'proposeCommonGround', item)
      expect(world.code(A, 'proposeCommonGround', item)).toBe('VALIDATION_ERROR')
      return world.ok(A, 'revokeConsent', { consentId: needA })
    }
    world.need(A)
    for (let round = 0; round < 3; round += 1) propose()
    expect(world.harness.table('gates', 'commonGround')).toHaveLength(20)
  })

  test('a strategy whose common ground is gone has stale inputs', () => {
    const world = at(4)
    const given = { description: 's', needsAddressed: ['cg-1'] }
    const strategyId = world.ok(A, 'proposeStrategy', given)['strategyId'] ?? null
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    for (const user of [A, B]) world.ok(user, 'submitRanking', { rankedIds: [strategyId] })
    world.agreement(A, { strategyId })
    const stale = (): unknown =>
      (world.ask(B, 'agreements').value as readonly { hasStaleInputs: boolean }[])[0]?.hasStaleInputs
    expect(stale()).toBe(false)
    world.ok(B, 'revokeConsent', { consentId: 'con-2' })
    expect(stale()).toBe(true)
  })

  test('agreements that came to nothing take no room, and are kept up to a number', () => {
    const world = at(4)
    world.rank()
    for (let count = 0; count < 60; count += 1) {
      world.ok(B, 'confirmAgreement', { agreementId: world.agreement(A), confirmed: false })
    }
    expect(world.ask(A, 'agreements')).toMatchObject({ value: { length: 50, 0: { id: 'agr-11' } } })
    for (let count = 0; count < 50; count += 1) world.agreement(A)
    expect(world.code(A, 'createAgreement', { description: 'd', type: 'CHECK_IN' })).toBe('VALIDATION_ERROR')
  })
})

describe('domain.md §2.3 revokeConsent', () => {
  const analysis = (world: ReturnType<typeof at>) =>
    world.harness.tasks.filter(({ kind }) => kind === 'common_ground.analyze')

  test('a search for common ground that waits or runs is asked anew without what was revoked', () => {
    const world = at(3)
    world.share(A, world.need(A, 'to be left alone'))
    const second = world.share(A, world.need(A, 'a second one'))
    const ofB = world.share(B, world.need(B))
    const [before] = analysis(world)
    world.ok(A, 'revokeConsent', { consentId: 'con-1' })
    const [after, ...more] = analysis(world)
    expect(more).toEqual([])
    expect(after?.taskId).not.toBe(before?.taskId)
    expect(JSON.stringify(after?.payload)).not.toContain('left alone')
    expect(after?.payload).toMatchObject({ needs: [{ consentId: second }, { consentId: ofB }] })
    // Without a need of each there is nothing to look for; it begins again with the next one.
    world.ok(A, 'revokeConsent', { consentId: second })
    expect(analysis(world)).toEqual([])
    expect(world.answer(A, 'commonGround')['analysis']).toBe('NONE')
    world.share(A, 'need-2')
    expect(analysis(world)).toHaveLength(1)
  })

  test('a search for strategies is asked anew without the common ground that rests on it', () => {
    const world = at(4)
    world.ok(A, 'requestSuggestions', { count: 2, focusNeeds: ['cg-1'] })
    const suggestions = () => world.harness.tasks.filter(({ kind }) => kind === 'strategies.suggest')
    expect(suggestions()[0]?.payload).toMatchObject({ commonGround: [{ id: 'cg-1' }] })
    world.ok(B, 'revokeConsent', { consentId: 'con-2' })
    expect(suggestions().map(({ payload }) => payload)).toMatchObject([{ count: 2, commonGround: [] }])
  })

  test.each(['withdraw', 'resolve'])('also in a dialogue that is over by %s, which stays as it is', (command) => {
    const world = at(4)
    world.rank()
    world.ok(B, 'confirmAgreement', { agreementId: world.agreement(), confirmed: true })
    world.ok(A, command, {}, 'session')
    const before = world.answer(B, 'get', {}, 'session')
    expect(world.answer(B, 'needs')['partner']).toHaveLength(1)
    world.harness.advance(1_000)
    world.ok(A, 'revokeConsent', { consentId: 'con-1' })
    expect(world.answer(B, 'needs')['partner']).toEqual([])
    expect(world.answer(B, 'get', {}, 'session')).toEqual(before)
  })

  test('no search is shown as running, and no task is open, in a dialogue that is over', () => {
    const world = at(3)
    world.share(A, world.need(A))
    world.share(B, world.need(B))
    world.ok(B, 'withdraw', {}, 'session')
    expect(world.harness.tasks).toEqual([])
    expect(world.answer(A, 'commonGround')).toMatchObject({ analysis: 'DONE', analysisComplete: true })
    const rows = [...world.harness.table('gates', 'people'), ...world.harness.table('gates', 'dialogues')]
    expect(JSON.stringify(rows)).not.toMatch(/TaskId":"|taskId":"/)
  })
})

describe('domain.md §2.3 decideConsent', () => {
  test('a need is granted when it is confirmed, and once', () => {
    const world = at(3)
    const { needId = null } = world.ok(A, 'addNeed', { need: 'n', category: 'SAFETY', description: 'd' })
    const given = { owner: A, contentType: 'IDENTIFIED_NEED', originalId: needId, transformedPreview: 'x' }
    for (let count = 0; count < 2; count += 1) world.ok(FACILITATOR, 'proposeConsent', given)
    const grant = (consentId: string) => world.send(A, 'decideConsent', { sid: SID, consentId, decision: 'GRANTED' })
    const refused = { code: 'VALIDATION_ERROR', value: { reason: 'NOT_CONFIRMED', needId } }
    expect(grant('ask-1')).toEqual(refused)
    world.ok(A, 'confirmNeeds', { confirmations: [{ needId, confirmed: false }] })
    expect(grant('ask-1')).toEqual(refused)
    expect(world.answer(B, 'needs')['partner']).toEqual([])
    world.ok(A, 'confirmNeeds', { confirmations: [{ needId, confirmed: true }] })
    expect(grant('ask-1').code).toBe('ok')
    expect(grant('ask-2')).toEqual({ code: 'VALIDATION_ERROR', value: { reason: 'SHARED', needId } })
  })

  test('a strategy that is shared by itself does not tell whose it is, nor does its revocation', () => {
    const world = at(4)
    const strategyId = world.strategy(A, 'a walk')
    const consentId = world.granted(A, 'STRATEGY_PROPOSAL', strategyId, 'a wording of it')
    const query = { type: 'consented_content', vessel: 'shared', source: 'structured', consentActive: true }
    const reads = (): string => JSON.stringify([world.retrieve(B, [query]), world.answer(B, 'sharedContent')])
    expect(reads()).not.toContain('a wording of it')
    expect(reads()).not.toContain('STRATEGY_PROPOSAL')
    expect(world.answer(A, 'sharedContent')['own']).toContainEqual(expect.objectContaining({ consentId }))
    expect(toldBy(world, B, () => world.ok(A, 'revokeConsent', { consentId }))).toEqual([])
  })
})

describe('domain.md §2.7 what is not told', () => {
  test('row 3: that the partner signed is told to whoever has signed, in every answer', () => {
    const world = at(0)
    world.ok(B, 'signCompact', { agreed: true })
    const signed = (): readonly unknown[] => [
      world.answer(A, 'compactStatus')['partner'],
      world.answer(A, 'gates', { stage: 0 })['partnerCompactSigned'],
      (world.answer(A, 'progress')['own'] as { gatesSatisfied: object }).gatesSatisfied,
      (world.answer(A, 'get', {}, 'session')['own'] as { gates: object }).gates,
    ]
    const none = { compactSigned: false, partnerCompactSigned: false }
    expect(signed()).toEqual([{ signed: false, signedAt: null }, false, none, none])
    expect(world.refused(A, 'advanceStage', { fromStage: 0, toStage: 1 }).value).toEqual({
      unsatisfied: ['compactSigned', 'partnerCompactSigned'],
    })
    world.ok(A, 'signCompact', { agreed: true })
    const both = { compactSigned: true, partnerCompactSigned: true }
    expect(signed()).toMatchObject([{ signed: true }, true, both, both])
  })

  test('partner.online: nobody is told after the end', () => {
    const online = (world: ReturnType<typeof at>): unknown =>
      (world.answer(A, 'progress')['partner'] as { online: boolean }).online
    const world = at(1)
    expect(online(world)).toBe(true)
    world.ok(A, 'pause', {}, 'session')
    expect(online(world)).toBe(true)
    world.ok(A, 'withdraw', {}, 'session')
    expect(online(world)).toBe(false)
  })
})
