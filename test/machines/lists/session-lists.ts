import assert from 'node:assert/strict'
import { z } from 'zod'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, type MachineDefinition, type TableViews } from '../../../src/machine/index.ts'
import { gateFactsOf } from '../../../src/machines/gates/facts/gate-facts.ts'
import { gatesEvents } from '../../../src/machines/gates/facts/gates-events.ts'
import { factTables, gatesTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { NEW_DIALOGUE, NOTHING_DONE } from '../../../src/machines/gates/facts/rows.ts'
import { displayStatus, session, waiters, type DialogueStatus } from '../../../src/machines/index.ts'
import type { CheckStep, ReadTables } from '../../../src/testing/index.ts'
import { A, agreementOf, B, C, COURIER, DAY, HOUR, SEED } from '../session/world.ts'
import { type MachineLists, stepOf } from './machine-lists.ts'

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
const ALL = { limit: 1_000 }

type Tables = TableViews<typeof session.schema>

/** Brings the two of a dialogue somewhere, without what gates asks of them. */
const gates = defineMachine(
  'gates',
  { version: 1, state: gatesTables.schema.state, events: gatesEvents.shapes },
  {
    commands: {
      move: command(
        {
          input: z.object({
            sid: z.string(),
            user: z.string(),
            stage: z.int().min(0).max(4),
            done: z.boolean(),
            agreed: z.boolean(),
          }),
          output: z.null(),
        },
        (ctx, { sid, user, stage, done, agreed }) => {
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
          ctx.state.agreements.set([sid, 1], agreed ? agreementOf('AGREED', [A, B]) : agreementOf('PROPOSED'))
          return null
        },
      ),
    },
  },
)

export const sids = ['ses-1', 'ses-2', 'ses-3']
/** Most of it happens to the first one. */
const bySid = (fields: object = {}): Value[] => ['ses-1', 'ses-1', ...sids].map((sid) => ({ sid, ...fields }))
const invitees = [
  { kind: 'person', ref: A },
  { kind: 'person', ref: B },
  { kind: 'email', ref: 'b@x.io' },
]
export const invitations = [1, 2, 3].map((number) => ({
  invitationId: `inv-${number}`,
  token: `inv-${number}-${SEED}`,
}))

/** Inputs that mean something to the three dialogues of a list. */
export const INPUTS: { readonly [name: string]: readonly Value[] } = {
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
    [A, B].flatMap((user) => [0, 1, 4].map((stage) => ({ sid, user, stage, done: stage !== 1, agreed: stage === 4 }))),
  ),
}

const move = (user: string, agreed: boolean): CheckStep =>
  stepOf(COURIER, 'move', { sid: 'ses-1', user, stage: 4, done: true, agreed }, 'gates')
const email = { kind: 'email', ref: 'b@x.io' }
const created = stepOf(A, 'create', { invitee: email, tokenSeed: SEED, sendNow: true })
const [invitation = null] = invitations
const accepted = stepOf(B, 'acceptInvitation', invitation)
const sid = 'ses-1'

/** Ways that end before two people have begun anything together. */
export const EARLY_ENDS: readonly (readonly CheckStep[])[] = [
  [created, stepOf(B, 'declineInvitation', invitation)],
  [created, stepOf(A, 'withdraw', { sid })],
  [created, { do: 'advance', ms: 8 * DAY }, accepted],
  [stepOf(A, 'create', { invitee: email, tokenSeed: SEED, sendNow: false }), accepted, stepOf(A, 'withdraw', { sid })],
]

/** What drawn commands seldom come to by themselves: the whole life of a dialogue, and ways that end early. */
const WAYS: readonly (readonly CheckStep[])[] = [
  [
    created,
    accepted,
    stepOf(A, 'postMessage', { sid, text: 'hm', emotionalIntensity: 9 }),
    stepOf(B, 'pause', { sid }),
    stepOf(A, 'resume', { sid }),
    move(A, true),
    move(B, true),
    stepOf(B, 'resolve', { sid }),
  ],
  [created, accepted, stepOf(A, 'pause', { sid, coolForMs: HOUR }), stepOf(B, 'resume', { sid })],
  [created, accepted, move(A, false), stepOf(A, 'resolve', { sid }), move(B, false), stepOf(A, 'resolve', { sid })],
  ...EARLY_ENDS,
]

const rowsOf = (tables: Tables) => tables.dialogues.range(ALL).map(([, row]) => row)

/** L-I1 to L-I7 and PL1 to PL6: must hold after every entry; `reach` is told what was seen. */
export function sessionInvariants(reach: (what: string) => void): {
  readonly [name: string]: (tables: Tables, read: ReadTables) => void
} {
  return {
    'L-I1 partners': (tables) => {
      for (const { status, partnerId, invitation } of rowsOf(tables)) {
        reach(status)
        reach(`invitation ${invitation.status}`)
        if (status === 'CREATED' || status === 'INVITED') assert.equal(partnerId, null)
        if (status !== 'ACTIVE' && status !== 'PAUSED' && status !== 'RESOLVED') continue
        assert.notEqual(partnerId, null)
        assert.equal(invitation.status, 'ACCEPTED')
      }
    },
    'L-I2 pauses': (tables) => {
      for (const { status, pause } of rowsOf(tables)) assert.equal(pause !== null, status === 'PAUSED')
    },
    'L-I3 invitations': (tables) => {
      for (const { status, invitation } of rowsOf(tables)) {
        assert.equal(invitation.status === 'DRAFT', status === 'CREATED')
        assert.equal(invitation.status === 'PENDING', status === 'INVITED')
      }
    },
    'L-I7 nobody is the own partner': (tables) => {
      for (const { creatorId, partnerId } of rowsOf(tables)) assert.notEqual(partnerId, creatorId)
    },
    'PL1, PL2, L-I5 the trail is made of edges, none of them out of an end, and ends at the status': (tables) => {
      for (const { id, status, statusSeq } of rowsOf(tables)) {
        const trail = tables.audit.range({ prefix: [id], ...ALL })
        let at: DialogueStatus | null = null
        for (const [[, seq], { from, to, cause }] of trail) {
          assert.equal(from, at)
          if (at === null) assert.deepEqual([seq, to], [1, 'CREATED'])
          else assert.ok(EDGES.has(`${at}→${to}`), `${at}→${to}`)
          reach(`${at}→${to}`)
          if (cause !== null) reach(`cause ${cause}`)
          at = to
        }
        assert.deepEqual([at, trail.length], [status, statusSeq])
      }
    },
    'PL3, L-I6 WAITING is shown of ACTIVE with one who waits, and stored nowhere': (tables, read) => {
      const view = factTables({ read })
      for (const row of rowsOf(tables)) {
        assert.ok(!JSON.stringify(row).includes('WAITING'))
        if (row.partnerId === null) continue
        const facts = gateFactsOf(view, row.id, [row.creatorId, row.partnerId])
        if (displayStatus(row.status, facts) !== 'WAITING') continue
        reach('shown WAITING')
        assert.deepEqual([row.status, waiters(facts).length], ['ACTIVE', 1])
      }
    },
    'PL4 a message lies with its author': (tables) => {
      // What the exchange hands on lies with whom it is for (domain.md §0.8).
      for (const [[, reader], { senderId, role }] of tables.messages.range(ALL)) {
        if (role === 'USER') assert.equal(senderId, reader)
      }
    },
    'PL5 messages are numbered without a gap': (tables) => {
      for (const { id, msgSeq } of rowsOf(tables)) {
        const seqs = tables.messages.range({ prefix: [id], ...ALL }).map(([[, , , seq]]) => seq)
        seqs.sort((left, right) => left - right)
        assert.equal(seqs.length, msgSeq)
        for (const [position, seq] of seqs.entries()) assert.equal(seq, position + 1)
      }
    },
    'PL6, L-I4 one open dialogue per pair': (tables) => {
      const open = rowsOf(tables).filter(({ status }) => status !== 'RESOLVED' && status !== 'ABANDONED')
      const pairs = open.map(({ creatorId, partnerId, invitation: { inviteeKind, inviteeRef } }) =>
        partnerId === null ? `${creatorId} ${inviteeKind}:${inviteeRef}` : [creatorId, partnerId].sort().join(' '),
      )
      assert.equal(new Set(pairs).size, pairs.length)
      // A row of `pairs` is of an open dialogue, or those people would be locked out for ever.
      const known = new Set(open.map(({ id }) => id))
      for (const [, sid] of tables.pairs.range(ALL)) assert.ok(known.has(sid), sid)
    },
  }
}

const WANTED = [
  'CREATED',
  'INVITED',
  'ACTIVE',
  'PAUSED',
  'RESOLVED',
  'ABANDONED',
  'shown WAITING',
  ...EDGES,
  ...['DRAFT', 'PENDING', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'CANCELLED'].map((status) => `invitation ${status}`),
  ...Object.keys(session.schema.errors).map((code) => `code ${code}`),
]

/** L-I1 to L-I7 and PL1 to PL6 of domain.md §1.11, over lists of three people, a courier and three dialogues. */
export function sessionLists(): MachineLists {
  const reached = new Set<string>()
  return {
    machine: session as unknown as MachineDefinition,
    reached,
    wanted: WANTED,
    rare: {},
    options: {
      stepsMax: 50,
      begin: WAYS,
      drive: [gates as unknown as MachineDefinition],
      principals: { [A]: [], [B]: [], [C]: [], [COURIER]: ['delivery'] },
      inputs: INPUTS,
      // The tables that they are given are those of this machine.
      invariants: sessionInvariants((what) => reached.add(what)) as never,
    },
  }
}
