import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { defineMachine, on, table, type MachineDefinition } from '../../../src/machine/index.ts'
import { gates, gatesEvents } from '../../../src/machines/index.ts'
import { A, ADMIN, at, B, C, FACILITATOR, SID, toldBy, World, type Answer } from './world.ts'

type Act = (world: World) => unknown
const ask: Act = (world) =>
  world.ok(FACILITATOR, 'proposeConsent', {
    ...{ owner: B, contentType: 'EVENT_SUMMARY', originalId: 'evt-1', transformedPreview: 'x' },
  })
const record = (world: World, user: string): unknown =>
  world.ok(user, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
const both = (world: World): void => {
  for (const user of [A, B]) world.share(user, world.need(user))
}

/** domain.md §2.8: topic, what is done before and what makes it, who hears it, and all that is in it beside the dialogue. */
const TOPICS: readonly (readonly [
  topic: string,
  stage: number,
  before: Act,
  act: Act,
  to: readonly string[],
  body: Answer,
])[] = [
  ['partner.signed_compact', 0, () => null, (world) => world.ok(A, 'signCompact', { agreed: true }), [B], {}],
  [
    'partner.stage_completed',
    1,
    () => null,
    (world) => world.ok(A, 'confirmFeelHeard', { confirmed: true }),
    [B],
    { stage: 1 },
  ],
  [
    'partner.advanced',
    1,
    (world) => world.ok(A, 'confirmFeelHeard', { confirmed: true }),
    (world) => world.ok(A, 'advanceStage', { fromStage: 1, toStage: 2 }),
    [B],
    { toStage: 2 },
  ],
  ['partner.needs_confirmed', 3, () => null, (world) => world.need(A), [B], {}],
  ['partner.needs_shared', 3, (world) => world.need(A), (world) => world.share(A, 'need-1'), [B], { count: 1 }],
  [
    'common_ground.ready',
    3,
    (world) => {
      both(world)
      world.analyst()
    },
    (world) => world.complete('common_ground.analyze', { items: [] }),
    [A, B],
    { count: 0 },
  ],
  ['strategies.updated', 4, () => null, (world) => world.strategy(A), [B], { total: 1 }],
  ['strategies.ready', 4, (world) => world.strategy(A), (world) => world.ok(A, 'markStrategiesReady'), [B], {}],
  [
    'partner.ranking_submitted',
    4,
    (world) => {
      world.strategy(A)
      world.ok(A, 'markStrategiesReady')
      world.ok(B, 'markStrategiesReady', { declareNone: true })
    },
    (world) => world.ok(A, 'submitRanking', { rankedIds: ['str-1'] }),
    [B],
    {},
  ],
  [
    'strategies.overlap',
    4,
    (world) => {
      world.strategy(A)
      world.ok(A, 'markStrategiesReady')
      world.ok(B, 'markStrategiesReady', { declareNone: true })
      world.ok(A, 'submitRanking', { rankedIds: ['str-1'] })
    },
    (world) => world.ok(B, 'submitRanking', { rankedIds: ['str-1'] }),
    [A, B],
    { count: 1 },
  ],
  ['agreement.proposed', 4, (world) => world.rank(), (world) => world.agreement(A), [B], { id: 'agr-1' }],
  [
    'agreement.confirmed',
    4,
    (world) => {
      world.rank()
      world.agreement(A)
    },
    (world) => world.ok(B, 'confirmAgreement', { agreementId: 'agr-1', confirmed: true }),
    [A, B],
    { id: 'agr-1' },
  ],
  ['consent.requested', 2, (world) => record(world, B), ask, [B], { consentId: 'ask-1' }],
  [
    'partner.consent_revoked',
    3,
    both,
    (world) => world.ok(A, 'revokeConsent', { consentId: 'con-1' }),
    [B],
    { contentType: 'IDENTIFIED_NEED' },
  ],
]

describe('domain.md §2.8 notifications', () => {
  test.each(TOPICS)('%s', (topic, stage, before, act, to, body) => {
    const world = at(stage)
    before(world)
    for (const user of [A, B]) world.told(user)
    act(world)
    for (const user of [A, B]) {
      const heard = world.told(user).filter(([about]) => about === topic)
      expect(heard, user).toEqual(to.includes(user) ? [[topic, { sid: SID, ...body }]] : [])
    }
  })
})

/** domain.md §2.8: every query, with what it takes beside the dialogue. */
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
  ['canRetrieve', { queries: [{}] }],
  ['retrievals', {}],
  ['retrieved', { seq: 1 }],
]
const FOR_ADMINISTRATORS: readonly (readonly [name: string, input: Answer])[] = [
  ['violations', {}],
  ['refusals', { principal: C }],
]

describe('domain.md §2.8 queries', () => {
  test.each(QUERIES)(
    '%s is answered to members, in every status, and to everybody else there is no dialogue',
    (name, input) => {
      const world = at(2)
      world.ok(A, 'retrieve', { queries: [{ type: 'session_metadata', source: 'metadata' }] })
      const answered = (): string => world.ask(A, name, input).code
      expect(answered()).toBe('ok')
      for (const by of [C, ADMIN, FACILITATOR]) expect(world.ask(by, name, input).code).toBe('NOT_FOUND')
      const asksNow = name === 'canRetrieve' || name === 'retrieved'
      world.ok(A, 'pause', {}, 'session')
      expect(answered()).toBe(asksNow ? 'SESSION_NOT_ACTIVE' : 'ok')
      world.ok(A, 'withdraw', {}, 'session')
      expect(answered()).toBe(asksNow ? 'SESSION_NOT_ACTIVE' : 'ok')
    },
  )

  test.each(FOR_ADMINISTRATORS)('%s is answered to administrators', (name, input) => {
    const world = at(0)
    expect(world.of(ADMIN).query('gates', name, input)).toMatchObject({ kind: 'ok' })
    expect(world.of(A).query('gates', name, input)).toMatchObject({ code: 'FORBIDDEN' })
  })

  test('every query is in one of the two tables', () => {
    const named = [...QUERIES, ...FOR_ADMINISTRATORS].map(([name]) => name)
    expect(named.sort()).toEqual(Object.keys(gates.queries).sort())
  })
})

/** Codes of gates, and a way to each. */
const CODES: readonly (readonly [
  code: string,
  stage: number,
  before: Act,
  command: string,
  input: Answer,
  details: Value,
])[] = [
  [
    'WRONG_STAGE',
    1,
    () => null,
    'addNeed',
    { need: 'n', category: 'SAFETY', description: 'd' },
    { required: [3], actual: 1 },
  ],
  [
    'DRAFT_LOCKED',
    2,
    (world) => {
      world.ok(A, 'saveEmpathyDraft', { content: 'c' })
      world.attempt(A, 'HELD')
    },
    'saveEmpathyDraft',
    { content: 'd' },
    {},
  ],
  ['PHASE_CLOSED', 4, () => null, 'reopenStrategies', {}, { phase: 'COLLECTING' }],
  ['NO_STRATEGIES', 4, () => null, 'markStrategiesReady', {}, {}],
  [
    'INVALID_STAGE_TRANSITION',
    0,
    () => null,
    'advanceStage',
    { fromStage: 0, toStage: 2 },
    { from: 0, to: 2, actual: 0 },
  ],
  [
    'GATES_NOT_SATISFIED',
    1,
    () => null,
    'advanceStage',
    { fromStage: 1, toStage: 2 },
    { unsatisfied: ['feelHeardConfirmed'] },
  ],
  ['PARTNER_NOT_READY', 3, () => null, 'requestCommonGround', {}, { stage: 3 }],
  [
    'SESSION_NOT_ACTIVE',
    0,
    (world) => world.ok(B, 'pause', {}, 'session'),
    'signCompact',
    { agreed: true },
    { status: 'PAUSED' },
  ],
]

describe('domain.md §2.3 codes', () => {
  test.each(CODES)('%s changes nothing, tells nobody, and says why', (code, stage, before, command, input, details) => {
    const world = at(stage)
    before(world)
    const rows = (): string =>
      JSON.stringify(Object.keys(gates.schema.state).map((name) => world.harness.table('gates', name)))
    const kept = rows()
    const refuse = (): void => expect(world.refused(A, command, input)).toEqual({ code, value: details })
    expect(toldBy(world, B, refuse)).toEqual([])
    expect(rows()).toBe(kept)
  })

  test('every code is in the table', () => {
    expect(CODES.map(([code]) => code).sort()).toEqual(Object.keys(gates.schema.errors).sort())
  })
})

const listener = defineMachine(
  'ear',
  { version: 1, state: { heard: table(z.int(), z.unknown()) } } as never,
  {
    commands: {},
    on: Object.keys(gatesEvents.shapes).map((event) =>
      on(
        gatesEvents,
        event as 'MemberActed',
        ((ctx: HeardContext, payload: Value) => {
          ctx.state.heard.set(ctx.state.heard.count() + 1, [event, payload])
        }) as never,
      ),
    ),
  } as never,
) as unknown as MachineDefinition
interface HeardContext {
  readonly state: { readonly heard: { count(): number; set(key: number, row: Value): void } }
}

/** domain.md §0.9: what others hear of gates. */
const EVENTS: readonly (readonly [event: string, stage: number, before: Act, act: Act, payload: Answer])[] = [
  ['MemberActed', 1, () => null, (world) => record(world, A), {}],
  ['FeelHeardConfirmed', 1, () => null, (world) => world.ok(A, 'confirmFeelHeard', { confirmed: true }), { user: A }],
  [
    'StageEntered',
    1,
    (world) => world.ok(A, 'confirmFeelHeard', { confirmed: true }),
    (world) => world.ok(A, 'advanceStage', { fromStage: 1, toStage: 2 }),
    { user: A, stage: 2 },
  ],
  [
    'EmpathyConsentRevoked',
    2,
    (world) => {
      world.attempt(A, 'HELD')
      world.granted(A, 'EMPATHY_ATTEMPT', 'attempt')
    },
    (world) => world.ok(A, 'revokeConsent', { consentId: 'con-1' }),
    { guesser: A },
  ],
]

describe('domain.md §0.9 events of gates', () => {
  test.each(EVENTS)('%s, and of a command that is refused nothing', (event, stage, before, act, payload) => {
    const world = new World(gates, [listener]).both(stage)
    before(world)
    const heard = (): readonly Value[] => world.harness.table('ear', 'heard').map(([, row]) => row as Value)
    const known = heard().length
    world.refused(A, 'confirmAgreement', { agreementId: 'agr-9', confirmed: true })
    expect(heard()).toHaveLength(known)
    act(world)
    expect(heard().slice(known)).toContainEqual([event, { sid: SID, ...payload }])
  })
})

describe('domain.md §1.11 properties, with the stages of gates', () => {
  test.each([0, 1, 2, 3, 4])(
    'PL9 at stage %i a pause and its end leave every row of gates, and of session, as it was',
    (stage) => {
      const world = at(stage)
      for (const user of [A, B]) {
        world.ok(user, 'postMessage', { text: 'a message', emotionalIntensity: 4 }, 'session')
        if (stage > 0) record(world, user)
      }
      if (stage === 2) world.attempt(A, 'HELD')
      if (stage === 3) both(world)
      if (stage === 4) world.rank()
      const kept = (): string =>
        JSON.stringify([
          ...Object.keys(gates.schema.state).map((name) => world.harness.table('gates', name)),
          ...['messages', 'readings', 'pairs', 'relationships'].map((name) => world.harness.table('session', name)),
          world.harness.table('reconciler', 'attempts'),
          world.harness.tasks.map(({ kind, payload }) => [kind, payload]),
        ])
      const before = kept()
      const positions = (): Value => [A, B].map((user) => world.answer(user, 'progress'))
      const where = positions()
      world.ok(A, 'pause', {}, 'session')
      world.harness.advance(5 * 60_000)
      expect(positions()).toEqual(where)
      world.ok(B, 'resume', {}, 'session')
      expect(kept()).toBe(before)
      expect(positions()).toEqual(where)
    },
  )
})
