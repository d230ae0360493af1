import assert from 'node:assert/strict'
import type { MachineDefinition, TablesRef, TableViews } from '../../../src/machine/index.ts'
import { tablesOf } from '../../../src/machine/define/tables-of.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { gateFactsOf } from '../../../src/machines/gates/facts/gate-facts.ts'
import { factTables, gatesTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { concierge, gates, gateValues, payments, reconciler, session } from '../../../src/machines/index.ts'
import type { ReconcilerView } from '../../../src/machines/reconciler/facts/reconciler-schema.ts'
import { statusOf } from '../../../src/machines/reconciler/change/shown.ts'
import type { ReadTables, Waiting } from '../../../src/testing/index.ts'
import { conciergeInvariants } from '../lists/concierge-lists.ts'
import { exchangeInvariants } from '../lists/exchange-invariants.ts'
import { gatesInvariants } from '../lists/gates-invariants.ts'
import { paymentsInvariants } from '../lists/payments-lists.ts'
import { sessionInvariants } from '../lists/session-lists.ts'
import { type ComposedInvariant, namesExist } from './entities-exist.ts'

const ALL = { limit: 10_000 }

const exchangeTables = tablesOf('reconciler', reconciler.schema)

type Dialogue = TableViews<typeof session.schema>['dialogues'] extends { range(...given: never): infer Rows }
  ? Rows extends readonly (readonly [string, infer Row])[]
    ? Row
    : never
  : never
type Reach = (what: string) => void

/** A dialogue that two people have, or had. */
interface Joined {
  readonly sid: string
  readonly users: readonly [string, string]
  readonly dialogue: Dialogue
}

/** What must hold over all machines at once: what each promises, and what they promise together. */
export function composedInvariants(reach: Reach): { readonly [name: string]: ComposedInvariant } {
  return {
    ...ofMachine(session, sessionInvariants(told(reach, 'session'))),
    ...ofMachine(gates, gatesInvariants(told(reach, 'gates'))),
    ...ofMachine(reconciler, exchangeInvariants(told(reach, 'reconciler'))),
    ...ofMachine(payments, paymentsInvariants(told(reach, 'payments'))),
    ...ofMachine(concierge, conciergeInvariants(told(reach, 'concierge'))),
    ...namesExist(reach),
    'keys of gates are what the exchange and the dialogue say': (_tables, read) => {
      for (const joined of joinedOf(read)) keysFollow(joined, read, reach)
    },
    'a consent that is taken back hides in gates and in the exchange at once': (_tables, read) => {
      for (const joined of joinedOf(read)) consentsAgree(joined, read, reach)
    },
    'nothing of a closed dialogue is open anywhere': (_tables, read, waiting) => nothingOpen(read, waiting, reach),
    'no timer of a paused dialogue is armed but those of the pause': (_tables, read, { timers }) => {
      for (const { sid, dialogue } of joinedOf(read)) {
        if (dialogue.status !== 'PAUSED') continue
        const armed = timers.filter((timer) => sidOf(timer) === sid).map(({ kind }) => kind)
        assert.ok(armed.every((kind) => kind === 'pause-reminder' || kind === 'pause-max'))
        assert.ok(armed.includes('pause-max'))
      }
    },
    'an offer has the time that it had before a pause': new Pauses(reach).check,
  }
}

const told =
  (reach: Reach, machine: string): Reach =>
  (what) =>
    reach(`${machine}: ${what}`)

/** The invariants of one machine, which are given its tables. */
function ofMachine<Tables>(
  { name, schema }: Pick<MachineDefinition, 'name' | 'schema'>,
  invariants: { readonly [name: string]: (tables: Tables, read: ReadTables, waiting: Waiting) => boolean | void },
): { readonly [name: string]: ComposedInvariant } {
  const ref: TablesRef = tablesOf(name, schema)
  const named = Object.entries(invariants).map(([what, holds]): [string, ComposedInvariant] => [
    `${name}: ${what}`,
    // The tables that they are given are those of this very machine.
    (_tables, read, waiting) => holds(read(ref) as Tables, read, waiting),
  ])
  return Object.fromEntries(named)
}

function joinedOf(read: ReadTables): readonly Joined[] {
  return read(sessionTables)
    .dialogues.range(ALL)
    .flatMap(([sid, dialogue]) => {
      const { creatorId, partnerId } = dialogue
      return partnerId === null ? [] : [{ sid, dialogue, users: [creatorId, partnerId] as const }]
    })
}

/** Of a timer or task of one of the three machines of a dialogue. */
function sidOf({ machine, key }: { readonly machine: string; readonly key: string }): string | null {
  if (machine === 'session') return key
  return machine === 'reconciler' || machine === 'gates' ? (key.split(' ')[0] ?? null) : null
}

/** Stage 2 is the exchange's to open: whoever went on has done what its rows say, or did when it was left. */
function keysFollow({ sid, users, dialogue }: Joined, read: ReadTables, reach: Reach): void {
  const facts = gateFactsOf(factTables({ read }), sid, users)
  const { attempts } = read(exchangeTables)
  const { people, stages } = read(gatesTables)
  for (const [position, user] of users.entries()) {
    const partner = users[1 - position] ?? user
    const [own, other] = [user, partner].map((guesser) => attempts.get([sid, guesser]))
    assert.deepEqual(gateValues(facts, user, 2), {
      empathyDraftReady: people.get([sid, user])?.draft?.ready ?? false,
      empathyConsented: own !== undefined && !own.hidden,
      partnerConsented: other !== undefined && !other.hidden,
      partnerValidated: own?.status === 'VALIDATED',
    })
    if (stages.has([sid, user, 3])) reach(`beyond the exchange, own attempt ${own?.status ?? 'gone'}`)
    // What was shown stays shown: an attempt at which somebody was let on does not vanish.
    if (stages.has([sid, user, 3])) assert.ok(own?.revealedContent !== null && own !== undefined)
    if (dialogue.status !== 'RESOLVED') continue
    assert.ok(stages.has([sid, user, 4]))
    reach('resolved after the exchange')
  }
}

/** An attempt can be read exactly while its consent is there. */
function consentsAgree({ sid, users }: Joined, read: ReadTables, reach: Reach): void {
  const exchange = read(exchangeTables)
  const shared = read(gatesTables)
    .consents.range({ prefix: [sid], ...ALL })
    .filter(([, { contentType, originalId }]) => contentType === 'EMPATHY_ATTEMPT' && originalId.startsWith('att-'))
  for (const guesser of users) {
    const attempt = exchange.attempts.get([sid, guesser])
    const own = shared.filter(([, { owner }]) => owner === guesser)
    const active = own.filter(([, { revokedAt }]) => revokedAt === null).map(([, { originalId }]) => originalId)
    assert.deepEqual(active, attempt === undefined || attempt.hidden ? [] : [attempt.id])
    if (own.length > active.length) reach(attempt === undefined ? 'a guess taken back unread' : 'a guess taken back')
    if (attempt?.hidden !== true) continue
    reach('a guess hidden')
    const subject = users.find((user) => user !== guesser) ?? guesser
    const shown = statusOf({ read } as Parameters<typeof statusOf>[0], exchange as ReconcilerView, {
      ...{ sid, user: subject },
      partner: guesser,
    })
    assert.equal(shown.partner.statement, null)
  }
}

/** RESOLVED and ABANDONED wait for nobody: no worker, no clock, no answer. */
function nothingOpen(read: ReadTables, { timers, tasks }: Waiting, reach: Reach): void {
  const { dialogues } = read(sessionTables)
  const closed = (sid: string | null): boolean => {
    const status = sid === null ? undefined : dialogues.get(sid)?.status
    return status === 'RESOLVED' || status === 'ABANDONED'
  }
  for (const timer of timers) assert.ok(!closed(sidOf(timer)), `timer ${timer.machine} ${timer.kind} ${timer.key}`)
  for (const { machine, kind, ref, payload } of tasks) {
    if (machine === 'session') assert.ok(!closed(ref), `task ${kind} ${ref}`)
    if (machine !== 'gates' && machine !== 'reconciler') continue
    const { sid = null } = payload as { readonly sid?: string }
    assert.ok(!closed(sid), `task ${kind} ${sid}`)
    reach(`task ${kind}`)
  }
  for (const [[sid, guesser], { offers }] of read(exchangeTables).directions.range(ALL)) {
    if (!closed(sid)) continue
    assert.ok(!offers.some(({ status }) => status === 'PENDING' || status === 'OFFERED'))
    const attempt = read(exchangeTables).attempts.get([sid, guesser])
    assert.deepEqual([attempt?.taskId ?? null, attempt?.remindAt ?? null], [null, null])
    reach(`closed with an attempt ${attempt?.status ?? 'gone'}`)
  }
  for (const [sid, { analysis, suggestion }] of read(gatesTables).dialogues.range(ALL)) {
    if (!closed(sid)) continue
    assert.deepEqual([analysis.taskId, suggestion], [null, null])
    assert.notEqual(analysis.state, 'RUNNING')
    for (const [, { needsTaskId }] of read(gatesTables).people.range({ prefix: [sid], ...ALL })) {
      assert.equal(needsTaskId, null)
    }
  }
}

/** What one entry leaves to the next: each run begins with none. */
class Pauses {
  private readonly open = new Map<string, { readonly expiresAt: number; readonly pausedAt: number | null }>()
  private readonly reach: Reach

  constructor(reach: Reach) {
    this.reach = reach
  }

  readonly check: ComposedInvariant = (_tables, read) => {
    const { dialogues } = read(sessionTables)
    const rows = read(exchangeTables).directions.range(ALL)
    if (rows.length === 0) this.open.clear()
    for (const [[sid, guesser], { offers }] of rows) {
      const dialogue = dialogues.get(sid)
      const offer = offers.find(({ status }) => status === 'PENDING' || status === 'OFFERED')
      const key = `${sid} ${guesser}`
      if (offer === undefined || dialogue === undefined) {
        this.open.delete(key)
        continue
      }
      const before = this.open.get(key)
      const pausedAt = dialogue.pause?.pausedAt ?? null
      this.open.set(key, { expiresAt: offer.expiresAt, pausedAt })
      if (before === undefined) continue
      const stood = before.pausedAt !== null && pausedAt === null
      // One that was made in the pause has stood still since then only.
      const since = Math.max(before.pausedAt ?? 0, offer.createdAt)
      const still = stood ? dialogue.statusSince - since : 0
      assert.equal(offer.expiresAt, before.expiresAt + still)
      if (stood) this.reach('an offer stood still')
    }
  }
}
