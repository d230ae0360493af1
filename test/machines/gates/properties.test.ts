import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, type MachineDefinition, type TableViews } from '../../../src/machine/index.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { gateFactsOf } from '../../../src/machines/gates/facts/gate-facts.ts'
import { factTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { NOTHING_DONE } from '../../../src/machines/gates/facts/rows.ts'
import { GATE_KEYS, gates, gateValues, sessionEvents, type Stage } from '../../../src/machines/index.ts'
import { checkMachine, type ReadTables } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { A, at, B, FACILITATOR, reconciler, SID, type World, type Answer } from './world.ts'

const ALL = 1_000
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
  confirmAgreement: each('agr', (agreementId) => ({ agreementId, confirmed: true })),
  advanceStage: [0, 1, 2, 3].map((fromStage) => ({ sid: SID, fromStage, toStage: fromStage + 1 })),
  proposeConsent: each('evt', (originalId) => ({
    owner: A,
    contentType: 'EVENT_SUMMARY',
    originalId,
    transformedPreview: 'p',
  })),
  decideConsent: each('ask', (consentId) => ({ consentId, decision: 'GRANTED' })),
  revokeConsent: each('con', (consentId) => ({ consentId })),
  retrieve: all({ queries: [{ type: 'user_event', vessel: 'user', source: 'structured', userId: A }, { type: 'x' }] }),
}

type Tables = TableViews<typeof gates.schema>
const stagesOf = (tables: Tables, user: string) => tables.stages.range({ prefix: [SID, user], limit: ALL })
const valuesOf = (read: ReadTables, user: string, stage: Stage) =>
  gateValues(gateFactsOf(factTables({ read }), SID, [A, B]), user, stage)

const INVARIANTS: { readonly [name: string]: (tables: Tables, read: ReadTables) => void } = {
  'PG1 stages rise one by one, each left with all of its keys': (tables) => {
    for (const user of [A, B]) {
      const rows = stagesOf(tables, user)
      expect(rows.map(([[, , stage]]) => stage)).toEqual(rows.map((_, position) => position))
      rows.forEach(([, { completedAt, frozenGates }], stage) => {
        const left = stage < rows.length - 1
        expect([completedAt !== null, frozenGates]).toEqual([left, left ? GATE_KEYS[stage as Stage] : null])
      })
    }
  },
  'PG5 keys are functions of the facts, and none is true before its facts': (tables, read) => {
    const [one, other] = [A, B].map((user) => tables.people.get([SID, user]) ?? NOTHING_DONE)
    const overlap = tables.dialogues.get(SID)?.overlap ?? null
    const agreed = tables.agreements
      .range({ prefix: [SID], limit: ALL })
      .some(([, { status }]) => status !== 'ABANDONED')
    expect(valuesOf(read, A, 0)).toEqual({
      compactSigned: one?.signedAt !== null,
      partnerCompactSigned: other?.signedAt !== null,
    })
    expect(valuesOf(read, A, 1)).toEqual({ feelHeardConfirmed: one?.feelHeardAt !== null })
    expect(valuesOf(read, A, 4)).toEqual({
      strategiesSubmitted: one?.ready !== null && other?.ready !== null,
      rankingsSubmitted: one?.ranking !== null && other?.ranking !== null,
      overlapIdentified: overlap !== null,
      agreementCreated: agreed,
    })
  },
  'PG6 symmetric keys agree': (_tables, read) => {
    const [a, b] = [A, B].map(
      (user) =>
        Object.assign({}, ...[0, 1, 2, 3, 4].map((stage) => valuesOf(read, user, stage as Stage))) as {
          [key: string]: boolean
        },
    )
    for (const [own, partners] of [
      ['compactSigned', 'partnerCompactSigned'],
      ['needsConfirmed', 'partnerNeedsConfirmed'],
      ['empathyConsented', 'partnerConsented'],
    ] as const) {
      expect([a?.[own], a?.[partners]]).toEqual([b?.[partners], b?.[own]])
    }
    for (const key of ['commonGroundConfirmed', ...GATE_KEYS[4]]) expect(a?.[key], key).toBe(b?.[key])
  },
  'PG8 nobody is at 4 while the other is below 3': (tables) => {
    const [one = 0, other = 0] = [A, B].map((user) => stagesOf(tables, user).length - 1)
    if (Math.max(one, other) === 4) expect(Math.min(one, other)).toBeGreaterThanOrEqual(3)
  },
  'an overlap is there just while both have ranked': (tables) => {
    const ranked = [A, B].every((user) => (tables.people.get([SID, user])?.ranking ?? null) !== null)
    expect((tables.dialogues.get(SID)?.overlap ?? null) !== null).toBe(ranked)
  },
}

/** A tenth of a second and more each. */
const LISTS = sample(1) > 1 ? 10_000 : 25

describe('domain.md §2.11 properties, under checkMachine', () => {
  test(
    'PG1, PG5, PG6, PG8 hold after every entry of drawn lists',
    async () => {
      const report = await checkMachine(jumping, {
        runs: LISTS,
        stepsMax: 40,
        principals: { [A]: [], [B]: [], 'worker:1': ['analysis', 'facilitator'] },
        drive: [dialogues, reconciler as unknown as MachineDefinition],
        inputs: INPUTS,
        invariants: INVARIANTS as never,
      })
      expect(report.commands['advanceStage']).toBeGreaterThan(0)
    },
    LISTS * 2_000,
  )
})

/** What the partner reads, in every way there is. */
const READS = [
  'progress',
  'compactStatus',
  'vessel',
  'draft',
  'needs',
  'commonGround',
  'strategies',
  'ranking',
  'overlap',
  'agreements',
  'consents',
  'sharedContent',
  'retrievals',
]
const QUERIES: Value = [
  ...['user_event', 'emotional_reading', 'need'].flatMap((type) =>
    [A, B].map((userId) => ({ type, vessel: 'user', source: 'structured', userId })),
  ),
  ...[A, B].map((userId) => ({ type: 'boundary', vessel: 'user', source: 'structured', userId })),
  { type: 'consented_content', vessel: 'shared', source: 'structured', consentActive: true },
  ...['common_ground', 'agreement', 'micro_experiment'].map((type) => ({
    type,
    vessel: 'shared',
    source: 'structured',
  })),
  { type: 'session_metadata', source: 'metadata' },
]
function everythingRead(world: World, by: string): string {
  const retrieved = world.retrieve(by, QUERIES as readonly Value[])
  return JSON.stringify([
    retrieved,
    ...READS.map((name) => world.ask(by, name)),
    world.ask(by, 'gates', { stage: 0 }),
    world.told(by),
  ])
}

/** A private act of B; `text` is what B wrote. */
const ACTS: readonly ((world: World, text: string) => unknown)[] = [
  (world, description) => world.code(B, 'recordEvent', { description, attributedTo: 'PARTNER' }),
  (world, description) => world.code(B, 'recordBoundary', { description, nonNegotiable: true }),
  (world, content) => world.code(B, 'saveEmpathyDraft', { content }),
  (world, description) => world.code(B, 'addNeed', { ...NEED, need: description, description }),
  (world, text) => world.code(B, 'postMessage', { text, emotionalIntensity: 5, emotionalContext: text }, 'session'),
  (world, text) =>
    world.code(FACILITATOR, 'proposeConsent', {
      owner: B,
      contentType: 'EVENT_SUMMARY',
      originalId: 'evt-1',
      transformedPreview: text,
    }),
  (world) => world.code(B, 'decideConsent', { consentId: 'ask-1', decision: 'DENIED' }),
]
const acts = fc.array(fc.nat({ max: ACTS.length - 1 }), { minLength: 1, maxLength: 12 })

describe('domain.md §2.11 properties of reading', () => {
  test('PG3 other private words of the partner leave every read as it was, byte for byte', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 }), acts, (stage, list) => {
        const [one, other] = ['aaaa', 'zzzz'].map((word) => {
          const world = at(stage)
          for (const [position, act] of list.entries()) ACTS[act]?.(world, `${word}${position}`)
          const read = everythingRead(world, A)
          expect(read).not.toContain(word)
          return read
        })
        expect(other).toBe(one)
      }),
      { numRuns: sample(8) },
    )
  })

  test('PG4 after a revocation nothing that the partner reads holds the content, in any later entry', () => {
    fc.assert(
      fc.property(fc.constantFrom(2, 3, 4), acts, (stage, list) => {
        const world = at(stage)
        world.ok(B, 'recordEvent', { description: 'raw', attributedTo: 'OWN' })
        const consentId = world.granted(B, 'EVENT_SUMMARY', 'evt-1', 'wording')
        if (stage !== 3) expect(everythingRead(world, A)).toContain('wording')
        world.ok(B, 'revokeConsent', { consentId })
        for (const [position, act] of list.entries()) {
          expect(everythingRead(world, A)).not.toContain('wording')
          ACTS[act]?.(world, `later${position}`)
        }
        expect(everythingRead(world, A)).not.toContain('wording')
      }),
      { numRuns: sample(5) },
    )
  })

  test('PG9 swapping the authors of the pool leaves every read as it was', () => {
    const reads = (authors: readonly string[]): string => {
      const world = at(4)
      for (const [number, author] of authors.entries()) world.strategy(author, `idea ${number}`)
      for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
      // What each was told on the way is about numbers of proposals of the other.
      for (const user of [A, B]) world.told(user)
      return [A, B].map((user) => everythingRead(world, user)).join('\n')
    }
    expect(reads([B, A, A])).toBe(reads([A, B, B]))
  })

  test('PG7 the overlap does not depend on who submitted first', () => {
    const overlapAfter = (order: readonly string[]): Value => {
      const world = at(4)
      const pool = [A, B, A].map((user) => world.strategy(user))
      for (const user of [A, B]) world.ok(user, 'markStrategiesReady')
      for (const user of order) world.ok(user, 'submitRanking', { rankedIds: user === A ? pool : [...pool].reverse() })
      return (world.answer(A, 'overlap') as { overlap: { ids: Value } }).overlap.ids
    }
    expect(overlapAfter([A, B])).toEqual(overlapAfter([B, A]))
  })

  test('PG10 two willing people come to the end without any worker', () => {
    const world = at(4)
    expect(world.harness.tasks.length).toBeGreaterThan(0)
    world.harness.advance('1d')
    world.rank()
    world.ok(B, 'confirmAgreement', { agreementId: world.agreement(), confirmed: true })
    world.ok(A, 'resolve', {}, 'session')
    expect(world.answer(A, 'get', {}, 'session')['status']).toBe('RESOLVED')
  })
})
