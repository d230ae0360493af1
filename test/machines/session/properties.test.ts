import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, type TableViews } from '../../../src/machine/index.ts'
import { gateFactsOf } from '../../../src/machines/gates/facts/gate-facts.ts'
import { gatesEvents } from '../../../src/machines/gates/facts/gates-events.ts'
import { factTables, gatesTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { NEW_DIALOGUE, NOTHING_DONE } from '../../../src/machines/gates/facts/rows.ts'
import { displayStatus, session, waiters, type DialogueStatus } from '../../../src/machines/index.ts'
import { checkMachine, type ReadTables } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { A, agreementOf, B, C, COURIER, DAY, HOUR, SEED, World } from './world.ts'

const PEOPLE = [A, B, C]
const EDGES: ReadonlySet<string> = new Set([
  'CREATED→INVITED',
  'CREATED→ABANDONED',
  'INVITED→ACTIVE',
  'INVITED→ABANDONED',
  'ACTIVE→PAUSED',
  'PAUSED→ACTIVE',
  'ACTIVE→RESOLVED',
  'ACTIVE→ABANDONED',
  'PAUSED→ABANDONED',
])
const ALL = 1_000

type Tables = TableViews<typeof session.schema>

/** Brings the two of a dialogue somewhere, without what gates asks of them. */
const gates = defineMachine(
  'gates',
  { version: 1, state: gatesTables.schema.state, events: gatesEvents.shapes },
  {
    commands: {
      move: command(
        {
          input: z.object({ sid: z.string(), user: z.string(), stage: z.int().min(0).max(4), done: z.boolean() }),
          output: z.null(),
        },
        (ctx, { sid, user, stage, done }) => {
          const at = { at: 1 }
          ctx.state.stages.set([sid, user, stage], { startedAt: 1, completedAt: null, frozenGates: null })
          ctx.state.people.set([sid, user], {
            ...NOTHING_DONE,
            signedAt: done ? 1 : null,
            feelHeardAt: done ? 1 : null,
            ready: done ? { ...at, declaredNone: false } : null,
            ranking: done ? { ...at, ids: ['str-1'] } : null,
          })
          if (!done) return null
          ctx.state.dialogues.set(sid, { ...NEW_DIALOGUE, phase: 'AGREED', overlap: { ...at, ids: ['str-1'] } })
          ctx.state.agreements.set([sid, 1], agreementOf('AGREED', [A, B]))
          return null
        },
      ),
    },
  },
)

const sids = ['ses-1', 'ses-2', 'ses-3']
/** Most of it happens to the first one. */
const bySid = (fields: object = {}): Value[] => ['ses-1', 'ses-1', ...sids].map((sid) => ({ sid, ...fields }))
const invitees = [
  { kind: 'person', ref: A },
  { kind: 'person', ref: B },
  { kind: 'email', ref: 'b@x.io' },
]
const invitations = [1, 2, 3].map((number) => ({ invitationId: `inv-${number}`, token: `inv-${number}-${SEED}` }))

/** Inputs that mean something to the three dialogues of a run. */
const INPUTS: { readonly [name: string]: readonly Value[] } = {
  create: invitees.flatMap((invitee) => [true, true, false].map((sendNow) => ({ invitee, tokenSeed: SEED, sendNow }))),
  invite: bySid(),
  resendInvitation: bySid(),
  acceptInvitation: invitations,
  declineInvitation: invitations,
  pause: [...bySid(), ...bySid({ coolForMs: HOUR, reason: 'too much' })],
  resume: bySid(),
  postMessage: [...bySid({ text: 'hm' }), ...bySid({ text: 'ah', emotionalIntensity: 9 })],
  recordEmotion: bySid({ intensity: 5 }),
  resolve: bySid(),
  // Rarely: what is closed is not talked about any more.
  withdraw: [...bySid(), ...Array.from({ length: 15 }, () => ({ sid: 'ses-9' }))],
  archive: bySid(),
  unarchive: bySid(),
  get: bySid(),
  history: bySid(),
  emotions: bySid(),
  audit: bySid(),
  invitation: invitations,
  'gates.move': sids.flatMap((sid) =>
    [A, B].flatMap((user) => [0, 1, 4].map((stage) => ({ sid, user, stage, done: stage !== 1 }))),
  ),
}

const rowsOf = (tables: Tables) => tables.dialogues.range({ limit: ALL }).map(([, row]) => row)

/** Must hold after every entry. */
const INVARIANTS: { readonly [name: string]: (tables: Tables, read: ReadTables) => void } = {
  'L-I1 partners': (tables) => {
    for (const { status, partnerId, invitation } of rowsOf(tables)) {
      if (status === 'CREATED' || status === 'INVITED') expect(partnerId).toBeNull()
      if (status !== 'ACTIVE' && status !== 'PAUSED' && status !== 'RESOLVED') continue
      expect(partnerId).not.toBeNull()
      expect(invitation.status).toBe('ACCEPTED')
    }
  },
  'L-I2 pauses': (tables) => {
    for (const { status, pause } of rowsOf(tables)) expect(pause !== null).toBe(status === 'PAUSED')
  },
  'L-I3 invitations': (tables) => {
    for (const { status, invitation } of rowsOf(tables)) {
      expect(invitation.status === 'DRAFT').toBe(status === 'CREATED')
      expect(invitation.status === 'PENDING').toBe(status === 'INVITED')
    }
  },
  'L-I7 nobody is the own partner': (tables) => {
    for (const { creatorId, partnerId } of rowsOf(tables)) expect(partnerId).not.toBe(creatorId)
  },
  'PL1, PL2 the trail is made of edges and ends at the status': (tables) => {
    for (const { id, status, statusSeq } of rowsOf(tables)) {
      const trail = tables.audit.range({ prefix: [id], limit: ALL })
      let at: DialogueStatus | null = null
      for (const [[, seq], { from, to }] of trail) {
        expect(from).toBe(at)
        if (at === null) expect([seq, to]).toEqual([1, 'CREATED'])
        else expect(EDGES).toContain(`${at}→${to}`)
        at = to
      }
      expect([at, trail.length]).toEqual([status, statusSeq])
    }
  },
  'PL3 WAITING is shown of ACTIVE with one who waits, and stored nowhere': (tables, read) => {
    const view = factTables({ read })
    for (const row of rowsOf(tables)) {
      expect(JSON.stringify(row)).not.toContain('WAITING')
      if (row.partnerId === null) continue
      const facts = gateFactsOf(view, row.id, [row.creatorId, row.partnerId])
      if (displayStatus(row.status, facts) !== 'WAITING') continue
      expect([row.status, waiters(facts).length]).toEqual(['ACTIVE', 1])
    }
  },
  'PL4 a message lies with its author': (tables) => {
    for (const [[, reader], { senderId }] of tables.messages.range({ limit: ALL })) expect(senderId).toBe(reader)
  },
  'PL5 messages are numbered without a gap': (tables) => {
    for (const { id, msgSeq } of rowsOf(tables)) {
      const seqs = tables.messages.range({ prefix: [id], limit: ALL }).map(([[, , , seq]]) => seq)
      expect(seqs.sort((left, right) => left - right)).toEqual(Array.from({ length: msgSeq }, (_, at) => at + 1))
    }
  },
  'PL6, L-I4 one open dialogue per pair': (tables) => {
    const open = rowsOf(tables).filter(({ status }) => status !== 'RESOLVED' && status !== 'ABANDONED')
    const pairs = open.map(({ creatorId, partnerId, invitation: { inviteeKind, inviteeRef } }) =>
      partnerId === null ? `${creatorId} ${inviteeKind}:${inviteeRef}` : [creatorId, partnerId].sort().join(' '),
    )
    expect(new Set(pairs).size).toBe(pairs.length)
    // A row of `pairs` is of an open dialogue, or those people would be locked out for ever.
    const known = new Set(open.map(({ id }) => id))
    for (const [, sid] of tables.pairs.range({ limit: ALL })) expect(known).toContain(sid)
  },
}

/** Command lists. Ten thousand are tried with HOLDFAST_TEST_EFFORT=500, which takes a quarter of an hour. */
const LISTS = sample(20)

describe('domain.md §1.11 properties', () => {
  test(`L-I1 to L-I7 and PL1 to PL6 hold after every entry of ${LISTS} lists`, {
    timeout: 60_000 + LISTS * 10_000,
  }, async () => {
    const report = await checkMachine(session, {
      runs: LISTS,
      stepsMax: 40,
      drive: [gates],
      principals: { [A]: [], [B]: [], [C]: [], [COURIER]: ['delivery'] },
      inputs: INPUTS,
      invariants: INVARIANTS,
    })
    expect(Object.keys(report.commands).length).toBe(Object.keys(session.commands).length)
  })

  const anything = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(...Object.keys(session.commands)).chain((name) =>
        fc.record({
          name: fc.constant(name),
          by: fc.constantFrom(...PEOPLE),
          input: fc.constantFrom(...(INPUTS[name] ?? [])),
        }),
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom(1, HOUR, DAY, 8 * DAY, 31 * DAY, 91 * DAY) },
  )
  type Step = { readonly name: string; readonly by: string; readonly input: Value } | number
  const lists = (most: number): fc.Arbitrary<readonly Step[]> =>
    fc.array(anything, { minLength: 5, maxLength: most, size: 'max' })
  const start: readonly Step[] = [
    { name: 'create', by: A, input: { invitee: { kind: 'person', ref: B }, tokenSeed: SEED, sendNow: true } },
    { name: 'acceptInvitation', by: B, input: invitations[0] ?? null },
  ]

  /** All rows of the machine, as text. */
  const rows = (world: World): string =>
    Object.keys(session.schema.state)
      .map((table) => JSON.stringify(world.harness.table('session', table as 'dialogues')))
      .join('\n')

  /** The text without what only says which entry it was. */
  const timeless = (world: World): string => rows(world).replaceAll(/"index":\d+/g, '')

  function run(world: World, steps: readonly Step[], ticks: boolean): void {
    for (const step of steps) {
      if (typeof step !== 'number') world.send(step.by, step.name, step.input)
      else if (!ticks) world.harness.advance(step)
      else for (const part of [1, step - 1, 0]) if (part >= 0) world.harness.advance(part)
      if (ticks) world.harness.advance(0)
    }
  }

  test('PL7 ticks between commands, at the same times, change nothing in the end', () => {
    fc.assert(
      fc.property(lists(25), (steps) => {
        const [plain, ticked] = [new World(), new World()]
        run(plain, [...start, ...steps], false)
        run(ticked, [...start, ...steps], true)
        expect(timeless(ticked)).toBe(timeless(plain))
      }),
      { numRuns: sample(12) },
    )
  })

  test('PL8 a refused command leaves every row as it was; PL4 a history holds its reader’s messages alone', () => {
    fc.assert(
      fc.property(lists(25), (steps) => {
        const world = new World()
        for (const step of [...start, ...steps]) {
          const before = rows(world)
          if (typeof step === 'number') world.harness.advance(step)
          else if (world.send(step.by, step.name, step.input).code !== 'ok') expect(rows(world)).toBe(before)
        }
        for (const reader of PEOPLE) {
          for (const sid of sids) {
            const { code, value } = world.ask(reader, 'history', { sid, limit: 100 })
            if (code !== 'ok') continue
            const messages = value as readonly { readonly senderId: string; readonly seq: number }[]
            expect(messages.every(({ senderId }) => senderId === reader)).toBe(true)
            expect(messages).toEqual([...messages].sort((left, right) => left.seq - right.seq))
          }
        }
      }),
      { numRuns: sample(12) },
    )
  })

  test('PL9 a pause and its end leave messages, readings and stages as they were, and tell how long it was', () => {
    fc.assert(
      fc.property(lists(15), fc.integer({ min: 0, max: 29 * DAY }), (steps, ms) => {
        const world = new World()
        run(world, [...start, ...steps.filter((step) => typeof step !== 'number')], false)
        if (world.harness.table('session', 'dialogues')[0]?.[1].status !== 'ACTIVE') return
        const kept = (): string =>
          JSON.stringify([
            world.harness.table('session', 'messages'),
            world.harness.table('session', 'readings'),
            world.harness.table('gates', 'stages'),
          ])
        const before = kept()
        world.ok(A, 'pause', { sid: 'ses-1' })
        world.harness.advance(ms)
        world.ok(B, 'resume', { sid: 'ses-1' })
        expect(kept()).toBe(before)
        expect(world.heard().at(-1)).toEqual(['SessionResumed', { sid: 'ses-1', pausedFor: ms }])
      }),
      { numRuns: sample(8) },
    )
  })

  test('PL2 a closed dialogue absorbs every command and timer but the flags of who put it away', () => {
    for (const status of ['RESOLVED', 'ABANDONED'] as const) {
      fc.assert(
        fc.property(lists(15), (steps) => {
          const world = new World()
          world.dialogueIn(status)
          const row = (): string => {
            const [[, dialogue] = []] = world.harness.table('session', 'dialogues')
            return JSON.stringify({ ...dialogue, archivedBy: [] })
          }
          const before = row()
          run(world, steps, false)
          expect(row()).toBe(before)
        }),
        { numRuns: sample(5) },
      )
    }
  })
})
