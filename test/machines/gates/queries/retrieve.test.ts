import { describe, expect, test } from 'vitest'
import type { Value } from '../../../../src/codec/value/value.ts'
import { dialogueOfMember } from '../../../../src/machines/gates/change/access.ts'
import { A, ADMIN, at, B, C, FACILITATOR, SID, type World, type Answer } from '../world.ts'

const about = (type: string, userId: string, source = 'structured'): Answer => ({
  type,
  vessel: 'user',
  source,
  userId,
})
const CONSENTED = { type: 'consented_content', vessel: 'shared', source: 'structured', consentActive: true }
const shared = (type: string): Answer => ({ type, vessel: 'shared', source: 'structured' })

/** The items of one query, or its verdict where it is not allowed. */
function items(world: World, by: string, query: Answer): Value {
  const { verdicts, bundle } = world.retrieve(by, [query]) as {
    verdicts: readonly string[]
    bundle: readonly { items: Value }[]
  }
  return bundle[0]?.items ?? verdicts[0] ?? null
}

const told = (count: number): Value => ({
  owner: B,
  contentType: 'EVENT_SUMMARY',
  originalId: `evt-${count}`,
  transformedPreview: 'a wording',
})

describe('domain.md §2.6 the filters of items', () => {
  test('session_metadata: own dialogues with the own stage, nothing of the partner’s', () => {
    const world = at(1)
    world.ok(B, 'confirmFeelHeard', { confirmed: true })
    world.ok(B, 'advanceStage', { fromStage: 1, toStage: 2 })
    expect(items(world, A, { type: 'session_metadata', source: 'metadata' })).toEqual([
      { id: SID, at: world.harness.now, content: null, details: { status: 'ACTIVE', stage: 1 } },
    ])
  })

  test('relationship_metadata: since when, and how many dialogues', () => {
    expect(items(at(0), A, { type: 'relationship_metadata', source: 'metadata' })).toMatchObject([
      { id: 'rel-1', details: { sessions: 1 } },
    ])
  })

  test('somebody else who accepts an invitation to the same address has another relationship, and sees nothing of the first', () => {
    const world = at(4)
    world.rank()
    world.ok(B, 'confirmAgreement', { agreementId: world.agreement(), confirmed: true })
    world.ok(A, 'resolve', {}, 'session')
    const joined = world.again(C)
    expect(joined).toMatchObject({ session: { relationshipId: 'rel-2' } })
    const queries = [
      { type: 'session_outcomes', source: 'structured' },
      { type: 'relationship_metadata', source: 'metadata' },
    ]
    expect(world.retrieve(A, queries, { sid: 'ses-2' }).bundle).toMatchObject([
      { items: [] },
      { items: [{ id: 'rel-2', details: { sessions: 1 } }] },
    ])
    world.ok(A, 'withdraw', { sid: 'ses-2' }, 'session')
    expect(world.again(B)).toMatchObject({ session: { relationshipId: 'rel-1' } })
  })

  test('however many dialogues a person has begun since, a retrieval looks at this one', () => {
    const world = at(1)
    for (let number = 0; number < 201; number += 1) world.create({ kind: 'phone', ref: `${254700000000 + number}` })
    expect(items(world, A, { type: 'relationship_metadata', source: 'metadata' })).toMatchObject([
      { id: 'rel-1', details: { sessions: 1 } },
    ])
  })

  test('session_outcomes: what was agreed in earlier dialogues of the two, and not in this one', () => {
    const world = at(4)
    world.rank()
    world.ok(B, 'confirmAgreement', { agreementId: world.agreement(), confirmed: true })
    world.agreement(A)
    world.ok(A, 'resolve', {}, 'session')
    world.again()
    const outcomes = { type: 'session_outcomes', source: 'structured' }
    expect(world.retrieve(A, [outcomes], { sid: 'ses-2' }).bundle).toMatchObject([
      { items: [{ id: 'agr-1', content: 'a walk on Sundays', details: { sid: SID, status: 'AGREED' } }] },
    ])
  })

  test.each(['structured', 'vector', 'metadata'])(
    'user_event, emotional_reading, need, boundary by %s: the requester’s own',
    (source) => {
      const world = at(1)
      for (const user of [A, B]) {
        world.ok(user, 'recordEvent', { description: `event of ${user}`, attributedTo: 'OWN', emotions: ['calm'] })
        world.ok(user, 'recordBoundary', { description: `boundary of ${user}`, nonNegotiable: true })
        world.ok(user, 'recordEmotion', { intensity: 4, context: `mood of ${user}` }, 'session')
      }
      const bare = source === 'metadata'
      expect(items(world, A, about('user_event', A, source))).toMatchObject([
        { id: 'evt-1', content: bare ? null : `event of ${A}`, details: bare ? {} : { emotions: ['calm'] } },
      ])
      expect(items(world, A, about('emotional_reading', A, source))).toMatchObject([
        { id: 'emo-1', content: bare ? null : `mood of ${A}`, details: bare ? {} : { intensity: 4 } },
      ])
      expect(items(world, A, about('need', A, source))).toEqual([])
      if (source === 'structured') expect(items(world, A, about('boundary', A))).toMatchObject([{ id: 'bnd-1' }])
    },
  )

  test('need: at stage 3 of this dialogue, without what was rejected', () => {
    const world = at(3)
    const { needId } = world.ok(A, 'addNeed', { need: 'n', category: 'SAFETY', description: 'gone' })
    world.ok(A, 'confirmNeeds', { confirmations: [{ needId: String(needId), confirmed: false }] })
    world.need(A, 'kept')
    expect(items(world, A, about('need', A))).toMatchObject([{ content: 'kept', details: { decision: 'CONFIRMED' } }])
  })

  test('need: at stage 1 also those of earlier dialogues of the two', () => {
    const world = at(3)
    world.need(A, 'old')
    world.ok(B, 'withdraw', {}, 'session')
    world.again()
    for (const user of [A, B]) world.ok(user, 'signCompact', { sid: 'ses-2', agreed: true })
    world.ok(A, 'advanceStage', { sid: 'ses-2', fromStage: 0, toStage: 1 })
    expect(world.retrieve(A, [about('need', A)], { sid: 'ses-2' }).bundle).toMatchObject([
      { items: [{ content: 'old' }] },
    ])
  })

  test('consented_content: before consent none, after it the item, after revocation none from the very next entry', () => {
    const world = at(2)
    world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'PARTNER' })
    expect(items(world, A, CONSENTED)).toEqual([])
    world.ok(FACILITATOR, 'proposeConsent', told(1) as Answer)
    expect(items(world, A, CONSENTED)).toEqual([])
    world.ok(B, 'decideConsent', { consentId: 'ask-1', decision: 'GRANTED' })
    expect(items(world, A, CONSENTED)).toMatchObject([
      { id: 'con-1', content: 'a wording', details: { contentType: 'EVENT_SUMMARY', sourceUser: B } },
    ])
    expect(JSON.stringify(items(world, A, CONSENTED))).not.toContain('raw')
    world.ok(B, 'revokeConsent', { consentId: 'con-1' })
    expect(items(world, A, CONSENTED)).toEqual([])
  })

  test('consented_content: a denied one gives none', () => {
    const world = at(2)
    world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'PARTNER' })
    world.ok(FACILITATOR, 'proposeConsent', told(1) as Answer)
    world.ok(B, 'decideConsent', { consentId: 'ask-1', decision: 'DENIED' })
    expect(items(world, A, CONSENTED)).toEqual([])
  })

  test('consented_content: at stage 3 needs and boundaries alone, at 4 any', () => {
    const world = at(2)
    world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'PARTNER' })
    world.ok(B, 'recordBoundary', { description: 'no shouting', nonNegotiable: true })
    world.ok(FACILITATOR, 'proposeConsent', told(1) as Answer)
    const boundary = { owner: B, contentType: 'BOUNDARY', originalId: 'bnd-1', transformedPreview: 'softly' }
    world.ok(FACILITATOR, 'proposeConsent', boundary)
    for (const consentId of ['ask-1', 'ask-2']) world.ok(B, 'decideConsent', { consentId, decision: 'GRANTED' })
    const ids = (): unknown => (items(world, A, CONSENTED) as readonly { id: string }[]).map(({ id }) => id).sort()
    expect(ids()).toEqual(['con-1', 'con-2'])
    world.leave(2)
    expect(ids()).toEqual(['con-2'])
    expect(world.answer(A, 'sharedContent')['partner']).toMatchObject([{ consentId: 'con-2' }])
    world.leave(3)
    expect(ids()).toEqual(['con-1', 'con-2', 'con-3', 'con-4'])
  })

  test('common_ground: both sources active; at stage 2 of earlier dialogues alone', () => {
    const world = at(3)
    const { consents } = world.findCommonGround()
    expect(items(world, A, shared('common_ground'))).toMatchObject([{ id: 'cg-1', details: { confirmed: true } }])
    world.ok(B, 'revokeConsent', { consentId: consents[1] })
    expect(items(world, A, shared('common_ground'))).toEqual([])
    expect(items(at(2), A, shared('common_ground'))).toEqual([])
  })

  test('agreement: AGREED ones, at stage 4 proposals too, each with hasStaleInputs', () => {
    const world = at(4)
    const strategyId = String(
      world.ok(A, 'proposeStrategy', { description: 's', needsAddressed: ['cg-1'] })['strategyId'],
    )
    world.ok(A, 'markStrategiesReady')
    world.ok(B, 'markStrategiesReady', { declareNone: true })
    for (const user of [A, B]) world.ok(user, 'submitRanking', { rankedIds: [strategyId] })
    world.agreement(A, { strategyId })
    world.agreement(A, { type: 'CHECK_IN' })
    world.ok(B, 'confirmAgreement', { agreementId: 'agr-1', confirmed: true })
    const stale = (): unknown =>
      (items(world, A, shared('agreement')) as readonly { id: string; details: Answer }[])
        .map(({ id, details }) => [id, details['status'], details['hasStaleInputs']])
        .sort()
    expect(stale()).toEqual([
      ['agr-1', 'AGREED', false],
      ['agr-2', 'PROPOSED', false],
    ])
    expect(items(world, A, shared('micro_experiment'))).toMatchObject([{ id: 'agr-1' }])
    world.ok(B, 'revokeConsent', { consentId: 'con-2' })
    expect(stale()).toEqual([
      ['agr-1', 'AGREED', true],
      ['agr-2', 'PROPOSED', false],
    ])
    expect(world.answer(A, 'agreements')).toMatchObject([{ hasStaleInputs: true }, { hasStaleInputs: false }])
  })

  test('experiment_suggestion: the library', () => {
    const query = { type: 'experiment_suggestion', vessel: 'global', source: 'vector' }
    expect(items(at(4), A, query)).toHaveLength(6)
  })
})

describe('domain.md §2.6 retrieve', () => {
  test('each query is judged alone; with none that is legal the bundle is empty', () => {
    const world = at(1)
    const queries = [{ type: 'document' }, about('user_event', B), about('user_event', A), 7]
    expect(world.ok(A, 'retrieve', { queries })).toEqual({
      verdicts: ['INVALID_QUERY', 'RETRIEVAL_DENIED', 'ALLOWED', 'INVALID_QUERY'],
      bundle: [{ position: 2, seq: 3, itemIds: [] }],
    })
    expect(world.ok(A, 'retrieve', { queries: [{}] })).toEqual({ verdicts: ['INVALID_QUERY'], bundle: [] })
    const cutWithinACharacter = `${'x'.repeat(298)}\u{1F600}`
    expect(world.ok(A, 'retrieve', { queries: [cutWithinACharacter] })).toMatchObject({ verdicts: ['INVALID_QUERY'] })
    // What cannot be asked has nothing to be read by its number, also where what is kept of it was cut.
    for (const seq of [1, 4, 5, 6]) expect(world.ask(A, 'retrieved', { seq }).code, String(seq)).toBe('NOT_FOUND')
    expect(world.ask(A, 'canRetrieve', { queries })).toEqual({
      code: 'ok',
      value: ['INVALID_QUERY', 'RETRIEVAL_DENIED', 'ALLOWED', 'INVALID_QUERY'],
    })
  })

  test('a denial is the same whether there is such a person, whether there is anything, and whatever was consented', () => {
    const world = at(1)
    const denied = (userId: string): Value => world.ok(A, 'retrieve', { queries: [about('user_event', userId)] })
    const before = denied(B)
    world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
    expect(denied(B)).toEqual(before)
    expect(denied('user:nobody')).toEqual(before)
    world.ok(FACILITATOR, 'proposeConsent', told(1) as Answer)
    world.ok(B, 'decideConsent', { consentId: 'ask-1', decision: 'GRANTED' })
    expect(denied(B)).toEqual(before)
  })

  test('whether a dialogue is another’s or none takes the same reads and gives the same refusal', () => {
    const world = at(1)
    const reads = (sid: string, rows: ReadonlyMap<string, unknown>): readonly string[] => {
      const seen: string[] = []
      const dialogues = {
        get: (key: string) => {
          seen.push('get')
          return rows.get(key)
        },
      }
      expect(dialogueOfMember({ dialogues } as never, sid, C)).toBeNull()
      return seen
    }
    const rows = new Map([['ses-1', { creatorId: A, partnerId: B }]])
    expect(reads('ses-1', rows)).toEqual(reads('ses-9', rows))
    for (const [name, input] of QUERIES) {
      expect(world.ask(C, name, input), name).toEqual({ code: 'NOT_FOUND', value: { sid: SID } })
      expect(world.ask(C, name, { ...input, sid: 'ses-9' }), name).toEqual({
        code: 'NOT_FOUND',
        value: { sid: 'ses-9' },
      })
    }
  })

  test('every query is written down with its verdict and items, for the person it was made for', () => {
    const world = at(1)
    world.ok(A, 'recordEvent', { description: 'mine', attributedTo: 'OWN' })
    const queries = [about('user_event', A), about('user_event', B), { long: 'x'.repeat(500) }]
    world.ok(FACILITATOR, 'retrieve', { onBehalfOf: A, queries })
    const records = world.answer(A, 'retrievals') as unknown as readonly Answer[]
    expect(records).toMatchObject([
      { seq: 1, requester: FACILITATOR, onBehalfOf: A, stage: 1, verdict: 'ALLOWED', itemIds: ['evt-1'] },
      { seq: 2, verdict: 'RETRIEVAL_DENIED', itemIds: [] },
      { seq: 3, verdict: 'INVALID_QUERY', itemIds: [] },
    ])
    expect(String(records[2]?.['query'])).toHaveLength(300)
    expect(world.ask(B, 'retrievals')).toEqual({ code: 'ok', value: [] })
    expect(world.ask(ADMIN, 'violations', {}).code).toBe('VALIDATION_ERROR')
    const counted = world.of(ADMIN).query('gates', 'violations', {})
    expect(counted).toEqual({ kind: 'ok', value: [0, 2, 0, 0, 0] })
    expect(world.of(A).query('gates', 'violations', {})).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('a thousand records of a dialogue are kept, the latest', () => {
    const world = at(0)
    const queries = Array.from({ length: 20 }, () => ({ type: 'session_metadata', source: 'metadata' }))
    for (let call = 0; call < 51; call += 1) world.ok(A, 'retrieve', { queries })
    expect(world.harness.read('gates', (tables) => tables['retrievals']?.count())).toBe(1_000)
    expect((world.answer(A, 'retrievals') as unknown as readonly Answer[])[0]).toMatchObject({ seq: 21 })
  })

  test('refused as a whole it is written down, of each issuer the latest hundred, and drives out nothing of others', () => {
    const world = at(1)
    const ask = (by: string): string => world.code(by, 'retrieve', { sid: 'ses-9', queries: [about('user_event', A)] })
    expect(ask(B)).toBe('NOT_FOUND')
    for (let count = 0; count < 105; count += 1) ask(C)
    const refusals = (principal: string) => world.of(ADMIN).query('gates', 'refusals', { principal })
    expect(refusals(B)).toMatchObject({ value: [{ seq: 1, sid: 'ses-9', onBehalfOf: B, code: 'NOT_FOUND' }] })
    const ofC = refusals(C) as unknown as { value: readonly Answer[] }
    expect([ofC.value.length, ofC.value[0]?.['seq'], ofC.value.at(-1)?.['seq']]).toEqual([100, 6, 105])
    expect(world.of(A).query('gates', 'refusals', { principal: C })).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('what is kept for one person the retrievals of the other do not drive out, and no page is emptied by them', () => {
    const world = at(0)
    const queries = Array.from({ length: 20 }, () => ({ type: 'session_metadata', source: 'metadata' }))
    world.ok(A, 'retrieve', { queries: [queries[0] ?? {}] })
    for (let call = 0; call < 51; call += 1) world.ok(B, 'retrieve', { queries })
    expect(world.answer(A, 'retrievals')).toMatchObject([{ seq: 1, onBehalfOf: A }])
    expect(world.answer(A, 'retrievals')).toHaveLength(1)
  })

  test('a repeat of retrieve, and whatever is read by it, holds nothing that was revoked since', () => {
    const world = at(2)
    world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'PARTNER' })
    world.granted(B, 'EVENT_SUMMARY', 'evt-1')
    const answer = world.ok(A, 'retrieve', { queries: [CONSENTED] })
    expect(answer).toEqual({ verdicts: ['ALLOWED'], bundle: [{ position: 0, seq: 1, itemIds: ['con-1'] }] })
    expect(world.answer(A, 'retrieved', { seq: 1 })).toMatchObject({ items: [{ content: 'a wording' }] })
    world.ok(B, 'revokeConsent', { consentId: 'con-1' })
    expect(world.answer(A, 'retrieved', { seq: 1 })).toEqual({ verdict: 'ALLOWED', items: [] })
  })

  test('retrieved: for whoever retrieved it, in an active dialogue, at a stage that allows it, and nothing that came later', () => {
    const world = at(2)
    world.ok(A, 'recordEvent', { description: 'first', attributedTo: 'OWN' })
    world.ok(FACILITATOR, 'retrieve', { onBehalfOf: A, queries: [about('user_event', A)] })
    world.ok(A, 'recordEvent', { description: 'second', attributedTo: 'OWN' })
    const of = { onBehalfOf: A, seq: 1 }
    expect(world.answer(FACILITATOR, 'retrieved', of)).toMatchObject({ items: [{ content: 'first' }] })
    for (const [by, input] of [
      [A, { seq: 1 }],
      [B, of],
      [C, of],
      [FACILITATOR, { seq: 1 }],
      [A, { seq: 9 }],
    ] as const) {
      expect(world.ask(by, 'retrieved', input).code).toBe('NOT_FOUND')
    }
    world.ok(B, 'pause', {}, 'session')
    expect(world.ask(FACILITATOR, 'retrieved', of).code).toBe('SESSION_NOT_ACTIVE')
    world.ok(B, 'resume', {}, 'session')
    world.leave(2)
    expect(world.answer(FACILITATOR, 'retrieved', of)).toEqual({ verdict: 'RETRIEVAL_DENIED', items: [] })
  })

  test('in a pause nothing is retrieved, and queries are answered as before', () => {
    const world = at(2)
    const before = QUERIES.map(([name, input]) => [name, world.ask(A, name, input)] as const)
    world.ok(B, 'pause', {}, 'session')
    expect(world.code(A, 'retrieve', { queries: [CONSENTED] })).toBe('SESSION_NOT_ACTIVE')
    expect(world.ask(A, 'canRetrieve', { queries: [CONSENTED] }).code).toBe('SESSION_NOT_ACTIVE')
    for (const [name, answer] of before) {
      if (name !== 'canRetrieve') expect(world.ask(A, name, QUERY_INPUTS.get(name)), name).toEqual(answer)
    }
  })
})

const QUERIES: readonly (readonly [name: string, input: Answer])[] = [
  ['progress', {}],
  ['gates', { stage: 0 }],
  ['compactStatus', {}],
  ['vessel', {}],
  ['draft', {}],
  ['needs', {}],
  ['commonGround', {}],
  ['strategies', {}],
  ['ranking', {}],
  ['overlap', {}],
  ['agreements', {}],
  ['consents', {}],
  ['sharedContent', {}],
  ['canRetrieve', { queries: [about('need', A)] }],
  ['retrievals', {}],
  ['retrieved', { seq: 1 }],
]
const QUERY_INPUTS = new Map(QUERIES)
