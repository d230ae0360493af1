import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, type MachineDefinition } from '../../../src/machine/index.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { NOTHING_DONE, PHASES } from '../../../src/machines/gates/facts/rows.ts'
import { GATE_KEYS, gates, sessionEvents, type Stage } from '../../../src/machines/index.ts'
import type { CheckStep } from '../../../src/testing/index.ts'
import { A, type Answer, B, reconciler, SID } from '../gates/world.ts'
import { gatesInvariants, STAGES } from './gates-invariants.ts'
import { type MachineLists, stepOf } from './machine-lists.ts'

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
export const GATES_INPUTS: { readonly [name: string]: readonly Value[] } = {
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

/** One step of a way. */
const act = (by: string, name: string, fields: Answer = {}): CheckStep => stepOf(by, name, { sid: SID, ...fields })
const advance = (from: number): readonly CheckStep[] =>
  [A, B].map((user) => act(user, 'advanceStage', { fromStage: from, toStage: from + 1 }))

/** What stage 3 needs of two people, whose needs get the consents with that number and the next one. */
export const thirdStage = (consent: number): readonly CheckStep[] => [
  ...[A, B].flatMap((user) => {
    const needId = 'need-1'
    const confirmations = [{ needId, confirmed: true }]
    return [
      act(user, 'addNeed', NEED),
      act(user, 'confirmNeeds', { confirmations }),
      act(user, 'shareNeeds', { needIds: [needId] }),
    ]
  }),
  act(A, 'proposeCommonGround', { ...NEED, needA: `con-${consent}`, needB: `con-${consent + 1}` }),
  act(B, 'confirmCommonGround', { confirmations: [{ cgId: 'cg-1', confirmed: true }] }),
]

/** What the last stage needs. */
export const LAST_STAGE: readonly CheckStep[] = [
  ...[A, B].map((user) => act(user, 'proposeStrategy', { description: 'd' })),
  ...[A, B].map((user) => act(user, 'markStrategiesReady')),
  ...[A, B].map((user) => act(user, 'submitRanking', { rankedIds: ['str-2', 'str-1'] })),
  act(A, 'createAgreement', { description: 'd', type: 'CHECK_IN' }),
  act(B, 'confirmAgreement', { agreementId: 'agr-1', confirmed: true }),
]

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
  ...thirdStage(1),
  ...advance(3),
  ...LAST_STAGE,
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
      inputs: GATES_INPUTS,
      // The tables that they are given are those of this machine.
      invariants: gatesInvariants((what) => reached.add(what)) as never,
    },
  }
}
