import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, type MachineDefinition, type TableViews } from '../../../src/machine/index.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { gateFactsOf } from '../../../src/machines/gates/facts/gate-facts.ts'
import { factTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { NOTHING_DONE, PHASES } from '../../../src/machines/gates/facts/rows.ts'
import { GATE_KEYS, gates, gateValues, sessionEvents, type Stage } from '../../../src/machines/index.ts'
import type { CheckStep, ReadTables } from '../../../src/testing/index.ts'
import { A, type Answer, B, reconciler, SID } from '../gates/world.ts'
import { type MachineLists, stepOf } from './machine-lists.ts'

const ALL = { limit: 1_000 }
const NEED = { need: 'n', category: 'SAFETY', description: 'd' }
const row = { startedAt: 1, completedAt: null, frozenGates: null }

interface AnyContext {
  readonly now: number
  readonly state: { readonly [table: string]: { has(key: unknown): boolean; set(key: unknown, row: unknown): void } }
  publish(event: string, payload: Value): void
}

/** One dialogue of A and B from the first client on, which pauses and goes on. */
const dialogues = defineMachine(
  'session',
  { version: 1, state: sessionTables.schema.state, events: sessionEvents.shapes },
  {
    commands: {
      turn: command(
        { input: z.object({ status: z.enum(['ACTIVE', 'PAUSED']) }), output: z.null() },
        (ctx: AnyContext, { status }) => {
          ctx.state['dialogues']?.set(SID, {
            id: SID,
            creatorId: A,
            partnerId: B,
            relationshipId: 'rel-1',
            createdAt: 1,
            status,
          })
          return null
        },
      ),
    },
    onSessionCreated: (given: unknown) => {
      const ctx = given as AnyContext
      if (ctx.state['dialogues']?.has(SID) === true) return
      ctx.state['dialogues']?.set(SID, {
        id: SID,
        creatorId: A,
        partnerId: B,
        relationshipId: 'rel-1',
        createdAt: 1,
        status: 'ACTIVE',
      })
      ctx.publish('SessionActivated', { sid: SID })
    },
  } as never,
) as MachineDefinition

/** Brings both to a stage, with everything of the stages before: a drawn list would hardly get there. */
const jump = {
  handler: (ctx: AnyContext, { stage }: { stage: number }) => {
    for (const user of [A, B]) {
      if (ctx.state['stages']?.has([SID, user, 1]) === true) return null
      for (const past of [0, 1, 2, 3].filter((earlier) => earlier < stage)) {
        ctx.state['stages']?.set([SID, user, past], { ...row, completedAt: 1, frozenGates: GATE_KEYS[past as Stage] })
      }
      ctx.state['stages']?.set([SID, user, stage], row)
      const done = { signedAt: stage > 0 ? 1 : null, feelHeardAt: stage > 1 ? 1 : null }
      ctx.state['people']?.set([SID, user], { ...NOTHING_DONE, ...done })
    }
    return null
  },
}
const jumpSchemas = { input: z.object({ stage: z.int().min(0).max(4) }), output: z.null() }
const jumping = {
  ...gates,
  commands: { ...gates.commands, jump: { kind: 'command', machine: 'gates', name: 'jump', ...jumpSchemas } },
  behaviour: { ...gates.behaviour, commands: { ...gates.behaviour.commands, jump } },
} as unknown as MachineDefinition

const both = (kind: string): readonly string[] => [1, 2].map((number) => `${kind}-${number}`)
const all = (...inputs: readonly Answer[]): readonly Value[] => inputs.map((input) => ({ sid: SID, ...input }))
const each = (kind: string, make: (id: string) => Answer): readonly Value[] => all(...both(kind).map(make))

/** Inputs that mean something to the one dialogue. */
const INPUTS: { readonly [name: string]: readonly Value[] } = {
  jump: [2, 3, 3, 3, 4, 4].map((stage) => ({ stage })),
  'session.turn': [{ status: 'ACTIVE' }, { status: 'ACTIVE' }, { status: 'PAUSED' }],
  'reconciler.put': [A, B].flatMap((guesser) =>
    [null, 'HELD', 'REFINING', 'VALIDATED'].map((status) => ({ sid: SID, guesser, status })),
  ),
  signCompact: all({ agreed: true }),
  confirmFeelHeard: all({ confirmed: true }),
  recordEvent: all({ description: 'd', attributedTo: 'OWN' }),
  recordBoundary: all({ description: 'd', nonNegotiable: true }),
  saveEmpathyDraft: all({ content: 'c', readyToShare: true }),
  addNeed: all(NEED),
  confirmNeeds: each('need', (needId) => ({ confirmations: [{ needId, confirmed: true }] })),
  shareNeeds: each('need', (needId) => ({ needIds: [needId] })),
  requestCommonGround: all({}),
  proposeCommonGround: all({ ...NEED, needA: 'con-1', needB: 'con-2' }),
  confirmCommonGround: each('cg', (cgId) => ({ confirmations: [{ cgId, confirmed: true }] })),
  proposeStrategy: all({ description: 'd' }),
  requestSuggestions: all({}),
  markStrategiesReady: all({}, { declareNone: true }),
  submitRanking: all({ rankedIds: ['str-1'] }, { rankedIds: ['str-2', 'str-1'] }),
  reopenStrategies: all({}),
  createAgreement: all({ description: 'd', type: 'CHECK_IN' }),
  confirmAgreement: [true, true, false].flatMap((confirmed) =>
    each('agr', (agreementId) => ({ agreementId, confirmed })),
  ),
  advanceStage: [0, 1, 2, 3].map((fromStage) => ({ sid: SID, fromStage, toStage: fromStage + 1 })),
  proposeConsent: each('evt', (originalId) => ({
    owner: A,
    contentType: 'EVENT_SUMMARY',
    originalId,
    transformedPreview: 'p',
  })),
  decideConsent: ['GRANTED', 'DENIED'].flatMap((decision) => each('ask', (consentId) => ({ consentId, decision }))),
  revokeConsent: each('con', (consentId) => ({ consentId })),
  retrieve: all({ queries: [{ type: 'user_event', vessel: 'user', source: 'structured', userId: A }, { type: 'x' }] }),
}

const STAGES: readonly Stage[] = [0, 1, 2, 3, 4]

type Tables = TableViews<typeof gates.schema>
const stagesOf = (tables: Tables, user: string) => tables.stages.range({ prefix: [SID, user], ...ALL })
const factsOf = (read: ReadTables) => gateFactsOf(factTables({ read }), SID, [A, B])

/** One step of a way. */
const act = (by: string, name: string, fields: Answer = {}): CheckStep => stepOf(by, name, { sid: SID, ...fields })
const advance = (from: number): readonly CheckStep[] =>
  [A, B].map((user) => act(user, 'advanceStage', { fromStage: from, toStage: from + 1 }))

/** The whole dialogue, as two people have it who want to come to its end. */
const WAY: readonly CheckStep[] = [
  ...[A, B].map((user) => act(user, 'signCompact', { agreed: true })),
  ...advance(0),
  ...[A, B].map((user) => act(user, 'confirmFeelHeard', { confirmed: true })),
  ...advance(1),
  ...[A, B].flatMap((guesser) => [
    act(guesser, 'saveEmpathyDraft', { content: 'c', readyToShare: true }),
    stepOf(guesser, 'put', { sid: SID, guesser, status: 'VALIDATED' }, 'reconciler'),
  ]),
  ...advance(2),
  ...[A, B].flatMap((user) => {
    const needId = 'need-1'
    const confirmations = [{ needId, confirmed: true }]
    return [
      act(user, 'addNeed', NEED),
      act(user, 'confirmNeeds', { confirmations }),
      act(user, 'shareNeeds', { needIds: [needId] }),
    ]
  }),
  act(A, 'proposeCommonGround', { ...NEED, needA: 'con-1', needB: 'con-2' }),
  act(B, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-1', confirmed: true }] }),
  ...advance(3),
  ...[A, B].map((user) => act(user, 'proposeStrategy', { description: 'd' })),
  ...[A, B].map((user) => act(user, 'markStrategiesReady')),
  ...[A, B].map((user) => act(user, 'submitRanking', { rankedIds: ['str-2', 'str-1'] })),
  act(A, 'createAgreement', { description: 'd', type: 'CHECK_IN' }),
  act(B, 'confirmAgreement', { agreementId: 'agr-1', confirmed: true }),
  act(A, 'revokeConsent', { consentId: 'con-1' }),
]

const AGREEMENT = { description: 'd', type: 'CHECK_IN' }
const jumpTo = (stage: number): CheckStep => stepOf(A, 'jump', { stage })
const rankedApart: readonly CheckStep[] = [
  jumpTo(4),
  ...[A, B].map((user) => act(user, 'proposeStrategy', { description: 'd' })),
  ...[A, B].map((user) => act(user, 'markStrategiesReady')),
  act(A, 'submitRanking', { rankedIds: ['str-1'] }),
  act(B, 'submitRanking', { rankedIds: ['str-2'] }),
]

/** The whole of it, and ways to what drawn commands seldom come to by themselves. */
const WAYS: readonly (readonly CheckStep[])[] = [
  WAY,
  WAY,
  [
    ...rankedApart,
    act(A, 'createAgreement', AGREEMENT),
    act(B, 'confirmAgreement', { agreementId: 'agr-1', confirmed: false }),
  ],
  [...rankedApart, act(B, 'reopenStrategies')],
  [jumpTo(4), act(A, 'markStrategiesReady'), act(A, 'markStrategiesReady', { declareNone: true })],
  ...['DENIED', 'GRANTED'].map((decision) => [
    jumpTo(2),
    act(A, 'recordEvent', { description: 'd', attributedTo: 'OWN' }),
    stepOf('worker:1', 'proposeConsent', {
      sid: SID,
      owner: A,
      contentType: 'EVENT_SUMMARY',
      originalId: 'evt-1',
      transformedPreview: 'p',
    }),
    act(A, 'decideConsent', { consentId: 'ask-1', decision }),
  ]),
  [
    jumpTo(2),
    act(A, 'saveEmpathyDraft', { content: 'c', readyToShare: true }),
    stepOf(A, 'put', { sid: SID, guesser: A, status: 'HELD' }, 'reconciler'),
    act(A, 'saveEmpathyDraft', { content: 'other' }),
  ],
]

/** Must hold after every entry; `reach` is told what was seen. */
function invariants(reach: (what: string) => void): {
  readonly [name: string]: (tables: Tables, read: ReadTables) => void
} {
  return {
    'PG1 stages rise one by one, each left with all of its keys': (tables) => {
      for (const user of [A, B]) {
        const rows = stagesOf(tables, user)
        if (rows.length > 0) reach(`stage ${rows.length - 1}`)
        for (const [stage, [[, , number], { completedAt, frozenGates }]] of rows.entries()) {
          assert.equal(number, stage)
          const left = stage < rows.length - 1
          assert.equal(completedAt !== null, left)
          assert.deepEqual(frozenGates, left ? GATE_KEYS[stage as Stage] : null)
        }
      }
    },
    'PG5 keys are functions of the facts, and none is true before its facts': (tables, read) => {
      const [one, other] = [A, B].map((user) => tables.people.get([SID, user]) ?? NOTHING_DONE)
      const overlap = tables.dialogues.get(SID)?.overlap ?? null
      const agreed = tables.agreements.range({ prefix: [SID], ...ALL }).some(([, { status }]) => status !== 'ABANDONED')
      const facts = factsOf(read)
      assert.deepEqual(gateValues(facts, A, 0), {
        compactSigned: one?.signedAt !== null,
        partnerCompactSigned: other?.signedAt !== null,
      })
      assert.deepEqual(gateValues(facts, A, 1), { feelHeardConfirmed: one?.feelHeardAt !== null })
      assert.deepEqual(gateValues(facts, A, 4), {
        strategiesSubmitted: one?.ready !== null && other?.ready !== null,
        rankingsSubmitted: one?.ranking !== null && other?.ranking !== null,
        overlapIdentified: overlap !== null,
        agreementCreated: agreed,
      })
    },
    'PG6 symmetric keys agree': (_tables, read) => {
      const facts = factsOf(read)
      const [a, b] = [A, B].map((user) => {
        const keys: { [key: string]: boolean } = {}
        for (const stage of STAGES) Object.assign(keys, gateValues(facts, user, stage))
        return keys
      })
      for (const [own, partners] of [
        ['compactSigned', 'partnerCompactSigned'],
        ['needsConfirmed', 'partnerNeedsConfirmed'],
        ['empathyConsented', 'partnerConsented'],
      ] as const) {
        assert.deepEqual([a?.[own], a?.[partners]], [b?.[partners], b?.[own]])
      }
      for (const key of ['commonGroundConfirmed', ...GATE_KEYS[4]]) assert.equal(a?.[key], b?.[key], key)
      for (const [key, value] of Object.entries(a ?? {})) if (value) reach(`key ${key}`)
    },
    'PG8 nobody is at 4 while the other is below 3': (tables) => {
      const [one = 0, other = 0] = [A, B].map((user) => stagesOf(tables, user).length - 1)
      if (Math.max(one, other) === 4) assert.ok(Math.min(one, other) >= 3)
    },
    'an overlap is there just while both have ranked': (tables) => {
      const ranked = [A, B].every((user) => (tables.people.get([SID, user])?.ranking ?? null) !== null)
      assert.equal((tables.dialogues.get(SID)?.overlap ?? null) !== null, ranked)
      reach(`phase ${tables.dialogues.get(SID)?.phase ?? 'none'}`)
    },
    'what is agreed was agreed by both': (tables) => {
      for (const [, { status, agreedBy }] of tables.agreements.range({ prefix: [SID], ...ALL })) {
        reach(`agreement ${status}`)
        if (status === 'AGREED') assert.deepEqual([...agreedBy].sort(), [A, B])
      }
      for (const [, { revokedAt }] of tables.consents.range({ prefix: [SID], ...ALL })) {
        reach(`consent ${revokedAt === null ? 'GRANTED' : 'REVOKED'}`)
      }
      for (const [, { decision }] of tables.requests.range({ prefix: [SID], ...ALL })) reach(`request ${decision}`)
    },
  }
}

const WANTED = [
  ...STAGES.map((stage) => `stage ${stage}`),
  ...STAGES.flatMap((stage) => GATE_KEYS[stage].map((key) => `key ${key}`)),
  ...PHASES.map((phase) => `phase ${phase}`),
  ...['PROPOSED', 'AGREED', 'ABANDONED'].map((status) => `agreement ${status}`),
  ...['GRANTED', 'REVOKED'].map((state) => `consent ${state}`),
  ...[null, 'GRANTED', 'DENIED'].map((decision) => `request ${decision}`),
  ...Object.keys(gates.schema.errors).map((code) => `code ${code}`),
]

/** PG1, PG5, PG6 and PG8 of domain.md §2.11, over lists of two people, a worker and one dialogue. */
export function gatesLists(): MachineLists {
  const reached = new Set<string>()
  return {
    machine: jumping,
    reached,
    wanted: WANTED,
    rare: {},
    options: {
      stepsMax: 50,
      begin: WAYS,
      principals: { [A]: [], [B]: [], 'worker:1': ['analysis', 'facilitator'] },
      drive: [dialogues, reconciler as unknown as MachineDefinition],
      inputs: INPUTS,
      // The tables that they are given are those of this machine.
      invariants: invariants((what) => reached.add(what)) as never,
    },
  }
}
