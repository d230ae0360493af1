import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { A, ADMIN, B, C, FACILITATOR, SID, World, type Answer } from './world.ts'

const own = (userId: string): Answer => ({ type: 'user_event', vessel: 'user', source: 'structured', userId })
const verdicts = (world: World, by: string, queries: readonly Value[], more: Answer = {}): Value =>
  world.ok(by, 'retrieve', { queries, ...more })['verdicts'] ?? null

describe('domain.md §1.3 any successful command of a member', () => {
  const DAY_MS = 86_400_000

  test('in gates, too, keeps the dialogue from ending for inactivity; one that is refused does not', () => {
    const world = new World().both(1)
    for (let day = 0; day < 120; day += 10) {
      world.harness.advance(10 * DAY_MS)
      world.ok(A, 'recordEvent', { description: 'a quarrel', attributedTo: 'BOTH', emotions: [] })
    }
    world.harness.advance(89 * DAY_MS)
    expect(world.code(A, 'addNeed', { need: 'rest', category: 'SAFETY', description: 'to sleep' })).toBe('WRONG_STAGE')
    world.harness.advance(DAY_MS)
    expect(world.code(A, 'confirmFeelHeard', { confirmed: true })).toBe('SESSION_NOT_ACTIVE')
  })
})

describe('domain.md §2.10 abuse cases', () => {
  test('G1 advancing 0→2, 1→0, 4→5', () => {
    const world = new World().both(4)
    for (const [fromStage, toStage] of [
      [0, 2],
      [1, 0],
      [4, 5],
      [3, 4],
      [4, 4],
    ]) {
      expect(world.refused(A, 'advanceStage', { fromStage: fromStage ?? 0, toStage: toStage ?? 0 })).toEqual({
        code: 'INVALID_STAGE_TRANSITION',
        value: { from: fromStage, to: toStage, actual: 4 },
      })
    }
    const first = new World().both(0)
    expect(first.code(A, 'advanceStage', { fromStage: 0, toStage: 2 })).toBe('INVALID_STAGE_TRANSITION')
    const second = new World().both(1)
    expect(second.code(A, 'advanceStage', { fromStage: 1, toStage: 0 })).toBe('INVALID_STAGE_TRANSITION')
  })

  test('G2 advancing 1→2 without feeling heard', () => {
    const world = new World().both(1)
    expect(world.refused(A, 'advanceStage', { fromStage: 1, toStage: 2 })).toEqual({
      code: 'GATES_NOT_SATISFIED',
      value: { unsatisfied: ['feelHeardConfirmed'] },
    })
  })

  test('G3 signing twice', () => {
    const world = new World().both(0)
    world.ok(A, 'signCompact', { agreed: true })
    expect(world.code(A, 'signCompact', { agreed: true })).toBe('CONFLICT')
  })

  test.each([0, 1, 2, 3, 4])('G4 retrieving user_event of the partner at stage %i', (stage) => {
    const world = new World().both(stage)
    if (stage > 0) world.ok(B, 'recordEvent', { description: 'secret', attributedTo: 'PARTNER' })
    expect(world.ok(A, 'retrieve', { queries: [own(B)] })).toEqual({ verdicts: ['RETRIEVAL_DENIED'], bundle: [] })
  })

  test('G5 consented_content with consentActive false, or the type ai_synthesis', () => {
    const world = new World().both(2)
    const consented = { type: 'consented_content', vessel: 'shared', source: 'structured' }
    const queries = [
      { ...consented, consentActive: false },
      { type: 'ai_synthesis', source: 'structured' },
    ]
    expect(world.ok(A, 'retrieve', { queries })).toEqual({ verdicts: ['INVALID_QUERY', 'INVALID_QUERY'], bundle: [] })
  })

  test.each([3, 4])('G6 retrieving own user_event at stage %i', (stage) => {
    const world = new World().both(stage)
    world.ok(A, 'recordEvent', { description: 'mine', attributedTo: 'OWN' })
    expect(verdicts(world, A, [own(A)])).toEqual(['RETRIEVAL_DENIED'])
  })

  test('G7 the partner revokes a shared need, then common ground built on it is read', () => {
    const world = new World().both(3)
    const { consents } = world.findCommonGround()
    const item = { need: 'air', category: 'AUTONOMY', description: 'air', needA: consents[0], needB: consents[1] }
    world.ok(B, 'revokeConsent', { consentId: consents[1] })
    expect(world.answer(A, 'commonGround')['items']).toEqual([])
    expect(world.answer(A, 'gates', { stage: 3 })['commonGroundConfirmed']).toBe(false)
    expect(world.code(A, 'proposeCommonGround', item)).toBe('VALIDATION_ERROR')
  })

  test('G7 the key stays true while another item holds', () => {
    const world = new World().both(3)
    const { consents } = world.findCommonGround()
    const second = world.share(B, world.need(B, 'air'))
    world.ok(A, 'proposeCommonGround', {
      need: 'air',
      category: 'AUTONOMY',
      description: 'air',
      needA: consents[0],
      needB: second,
    })
    world.ok(B, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-2', confirmed: true }] })
    world.ok(B, 'revokeConsent', { consentId: consents[1] })
    expect(world.answer(A, 'gates', { stage: 3 })['commonGroundConfirmed']).toBe(true)
  })

  test('G8 editing the draft after consenting', () => {
    const world = new World().both(2)
    world.ok(A, 'saveEmpathyDraft', { content: 'one' })
    for (const status of ['HELD', 'ANALYZING', 'AWAITING_SHARING', 'READY', 'REVEALED', 'VALIDATED']) {
      world.attempt(A, status)
      expect(world.code(A, 'saveEmpathyDraft', { content: 'two' }), status).toBe('DRAFT_LOCKED')
    }
    world.attempt(A, 'REFINING')
    expect(world.ok(A, 'saveEmpathyDraft', { content: 'two' })).toEqual({ version: 2, ready: false })
  })

  test('G9 ranking before the phase, with a foreign id, with one twice, with none', () => {
    const world = new World().both(4)
    world.strategy(A)
    expect(world.code(A, 'submitRanking', { rankedIds: ['str-1'] })).toBe('PHASE_CLOSED')
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    for (const rankedIds of [['str-9'], ['str-1', 'str-1'], []]) {
      expect(world.code(A, 'submitRanking', { rankedIds })).toBe('VALIDATION_ERROR')
    }
  })

  test('G10 reading the partner’s ranking before one’s own', () => {
    const world = new World().both(4)
    world.strategy(A)
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    world.ok(B, 'submitRanking', { rankedIds: ['str-1'] })
    expect(world.answer(A, 'ranking')).toEqual({ own: null, partner: null })
    expect(world.answer(A, 'overlap')).toEqual({ overlap: null })
    world.ok(A, 'submitRanking', { rankedIds: ['str-1'] })
    expect(world.answer(A, 'ranking')).toMatchObject({ partner: { ids: ['str-1'] } })
  })

  test('G11 any command in a pause but revokeConsent', () => {
    const world = new World().both(3)
    const { consents } = world.findCommonGround()
    world.ok(B, 'pause', {}, 'session')
    for (const [name, input] of COMMANDS) {
      expect(world.send(A, name, { sid: SID, ...input }), name).toEqual({
        code: 'SESSION_NOT_ACTIVE',
        value: { status: 'PAUSED' },
      })
    }
    expect(world.code(FACILITATOR, 'proposeConsent', PROPOSAL)).toBe('SESSION_NOT_ACTIVE')
    expect(world.code(A, 'revokeConsent', { consentId: consents[0] })).toBe('ok')
  })

  test('G12 a facilitator retrieves for somebody who is no member', () => {
    const world = new World().both(1)
    expect(world.code(FACILITATOR, 'retrieve', { onBehalfOf: C, queries: [own(C)] })).toBe('NOT_FOUND')
    expect(verdicts(world, FACILITATOR, [own(A), own(B)], { onBehalfOf: A })).toEqual(['ALLOWED', 'RETRIEVAL_DENIED'])
  })

  test('a stranger, an administrator and a worker without the role know of no dialogue', () => {
    const world = new World().both(1)
    for (const by of [C, ADMIN]) {
      for (const [name, input] of [...COMMANDS, ['revokeConsent', { consentId: 'con-1' }] as const]) {
        const there = world.send(by, name, { sid: SID, ...input })
        expect(there, name).toEqual({ code: 'NOT_FOUND', value: { sid: SID } })
        // The same of a dialogue that there is not.
        expect(world.send(by, name, { sid: 'ses-9', ...input })).toEqual({ code: 'NOT_FOUND', value: { sid: 'ses-9' } })
      }
      expect(world.code(by, 'proposeConsent', PROPOSAL)).toBe('NOT_FOUND')
      expect(world.code(by, 'retrieve', { onBehalfOf: A, queries: [own(A)] })).toBe('NOT_FOUND')
    }
  })

  test('a member can neither propose consents nor retrieve for the partner', () => {
    const world = new World().both(1)
    expect(world.code(A, 'proposeConsent', PROPOSAL)).toBe('FORBIDDEN')
    expect(world.code(A, 'retrieve', { onBehalfOf: B, queries: [own(B)] })).toBe('FORBIDDEN')
  })

  test('before anybody has accepted there is nothing to do, and nothing to be read', () => {
    const world = new World()
    const invitee = { kind: 'email', ref: 'b@x.io' }
    world.send(A, 'create', { invitee, tokenSeed: '0'.repeat(32) }, 'session')
    expect(world.send(A, 'signCompact', { sid: SID, agreed: true })).toEqual({
      code: 'SESSION_NOT_ACTIVE',
      value: { status: 'CREATED' },
    })
    expect(world.ask(A, 'progress').code).toBe('SESSION_NOT_ACTIVE')
  })
})

const PROPOSAL = { owner: A, contentType: 'IDENTIFIED_NEED', originalId: 'need-1', transformedPreview: 'rest' }
const NEED = { need: 'n', category: 'SAFETY', description: 'd' }

/** Every command that a member may issue, with an input that its schema takes; but for revokeConsent. */
const COMMANDS: readonly (readonly [name: string, input: Answer])[] = [
  ['signCompact', { agreed: true }],
  ['confirmFeelHeard', { confirmed: true }],
  ['recordEvent', { description: 'd', attributedTo: 'OWN' }],
  ['recordBoundary', { description: 'd', nonNegotiable: true }],
  ['saveEmpathyDraft', { content: 'c' }],
  ['addNeed', NEED],
  ['confirmNeeds', { confirmations: [{ needId: 'need-1', confirmed: true }] }],
  ['shareNeeds', { needIds: ['need-1'] }],
  ['requestCommonGround', {}],
  ['proposeCommonGround', { ...NEED, needA: 'con-1', needB: 'con-2' }],
  ['confirmCommonGround', { confirmations: [{ cgId: 'cg-1', confirmed: true }] }],
  ['proposeStrategy', { description: 'd' }],
  ['requestSuggestions', {}],
  ['markStrategiesReady', {}],
  ['submitRanking', { rankedIds: ['str-1'] }],
  ['reopenStrategies', {}],
  ['createAgreement', { description: 'd', type: 'CHECK_IN' }],
  ['confirmAgreement', { agreementId: 'agr-1', confirmed: true }],
  ['advanceStage', { fromStage: 0, toStage: 1 }],
  ['decideConsent', { consentId: 'con-1', decision: 'GRANTED' }],
  ['retrieve', { queries: [own(A)] }],
]
