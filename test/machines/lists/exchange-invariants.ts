import assert from 'node:assert/strict'
import type { TableViews } from '../../../src/machine/index.ts'
import { sessionTables } from '../../../src/machines/gates/facts/dialogues.ts'
import { gatesTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { ANALYSES_MAX, type reconciler, RESUBMITS_MAX } from '../../../src/machines/index.ts'
import { statusOf } from '../../../src/machines/reconciler/change/shown.ts'
import type { ReconcilerView } from '../../../src/machines/reconciler/facts/reconciler-schema.ts'
import type { ReadTables, Waiting } from '../../../src/testing/index.ts'

type Tables = TableViews<typeof reconciler.schema>
type Rows<Table extends keyof Tables> = ReturnType<Tables[Table]['range']>[number][1]
type Step = Rows<'audit'>

const ALL = { limit: 1_000 }
/** Words of analyses that are for nobody: they stand in results of the lists' workers. */
const SECRET = /RATIONALE|MISSED|FOCUS/

/** domain.md §4.2: from, to and what brings it there, with the number of the step. */
const STEPS: { readonly [step: string]: string } = {
  'null HELD consent': 'T1',
  'HELD ANALYZING feel-heard': 'T2',
  'ANALYZING AWAITING_SHARING analysis': 'T3',
  'ANALYZING READY analysis': 'T4',
  'ANALYZING READY analysis-failed': 'T4 failed',
  'ANALYZING READY breaker': 'T4 breaker',
  'AWAITING_SHARING REFINING accept': 'T5',
  'AWAITING_SHARING READY decline': 'T6',
  'AWAITING_SHARING READY offer-expiry': 'T7',
  'REFINING ANALYZING resubmit': 'T8',
  'READY REVEALED reveal': 'T9',
  'REVEALED VALIDATED validate': 'T10',
  'REVEALED REFINING validate': 'T11',
  'REFINING READY skip': 'X1',
  'REFINING VALIDATED skip': 'X2',
  'HELD null revoke': 'X3 HELD',
  'ANALYZING null revoke': 'X3 ANALYZING',
  'AWAITING_SHARING null revoke': 'X3 AWAITING_SHARING',
  'REFINING null revoke': 'X3 REFINING',
  'READY null revoke': 'X3 READY',
}

/** What lists of the exchange come to. */
export const EXCHANGE_WANTED: readonly string[] = [
  ...['HELD', 'ANALYZING', 'AWAITING_SHARING', 'REFINING', 'READY', 'REVEALED', 'VALIDATED'],
  ...Object.values(STEPS),
  ...['PENDING', 'OFFERED', 'ACCEPTED', 'DECLINED', 'EXPIRED'].map((status) => `offer ${status}`),
  ...['ACCURATE', 'FEEDBACK', 'ACCEPTED_DIFFERENCE', 'DISAGREED'].map((kind) => `validation ${kind}`),
  ...['PENDING', 'DELIVERED', 'SEEN'].map((delivery) => `delivery ${delivery}`),
  ...['hidden', 'degraded', 'note ALREADY_OFFERED', 'tripped', 'shared SEEN', 'refining', 'reminder'],
]

/** A direction with all that is kept of it. */
interface Side {
  readonly sid: string
  readonly guesser: string
  readonly subject: string
  readonly dialogue: string
  readonly row: Rows<'directions'>
  readonly attempt: Rows<'attempts'> | null
  readonly results: readonly Rows<'results'>[]
  readonly trail: readonly Step[]
}

type Invariant = (tables: Tables, read: ReadTables, waiting: Waiting) => void

/** R-I1 to R-I7 and PR1 to PR4, PR6 to PR8 and PR11 of domain.md §4; `reach` is told what was seen. */
export function exchangeInvariants(reach: (what: string) => void): { readonly [name: string]: Invariant } {
  const history = new History()
  const known = new WeakMap<Waiting, readonly Side[]>()
  const each = (check: (side: Side, waiting: Waiting, read: ReadTables, tables: Tables) => void): Invariant => {
    return (tables, read, waiting) => {
      // PERF: collected once per entry, which has its own `waiting`.
      const sides = known.get(waiting) ?? sidesOf(tables, read)
      known.set(waiting, sides)
      for (const side of sides) check(side, waiting, read, tables)
    }
  }
  return {
    'PR1 PR8 R-I1 every step is one of the table, and the trail ends at the status': each((side) => {
      trailHolds(side, reach)
    }),
    'R-I2 ANALYZING has its open task, and nothing else has one': each((side, { tasks }) => {
      const open = tasks.filter(({ machine, kind, payload }) => {
        const { sid, guesser } = payload as { sid?: string; guesser?: string }
        return machine === 'reconciler' && kind === 'reconciler.analyze' && sid === side.sid && guesser === side.guesser
      })
      const analyzing = side.attempt?.status === 'ANALYZING' && isOpen(side)
      assert.deepEqual(
        open.map(({ taskId, ref }) => [taskId, ref]),
        analyzing ? [[side.attempt.taskId, side.attempt.id]] : [],
      )
    }),
    'R-I3 R-I4 PR6 AWAITING_SHARING has the one offer, open': each((side) => offerHolds(side, reach)),
    'R-I5 what is REVEALED was shown': each(({ sid, attempt }, _waiting, _read, tables) => {
      if (attempt?.status !== 'REVEALED' && attempt?.status !== 'VALIDATED') return
      assert.notEqual(attempt.revealedContent, null)
      assert.notEqual(tables.exchanges.get(sid)?.firstRevealAt ?? null, null)
    }),
    'R-I6 R-I7 PR4 counts have their bounds, and one result holds': each((side, _waiting, _read, tables) => {
      countsHold(side, reach)
      const said = tables.validations.range({ prefix: [side.sid, side.guesser], ...ALL })
      for (const [, { kind }] of said) reach(`validation ${kind}`)
      assert.equal(side.row.validations, said.length)
    }),
    'PR2 a command moves one direction, but for the reveal': (tables, read) => {
      history.oneDirection(tables, read)
    },
    'PR3 nothing is HELD whose subject feels heard': each(({ sid, subject, attempt }, _waiting, read) => {
      if (attempt?.status !== 'HELD') return
      assert.equal(read(gatesTables).people.get([sid, subject])?.feelHeardAt ?? null, null)
    }),
    'PR7 nothing is read before both were READY, and then what was shown last': (tables, read) => {
      history.shown(tables, read)
    },
    'PR11 words of an analysis are for nobody, guidance for who refines, an offer for its subject': each(
      (side, _waiting, read, tables) => secretsHold(side, read, tables),
    ),
    'timers are armed for what an active dialogue waits for': each(
      ({ sid, guesser, row, attempt, dialogue }, waiting) => {
        const armed = waiting.timers.filter(
          ({ machine, key }) => machine === 'reconciler' && key === `${sid} ${guesser}`,
        )
        const offer = row.offers.find(({ status }) => status === 'PENDING' || status === 'OFFERED')
        const remindAt = attempt?.remindAt ?? null
        const due = [
          ...(offer === undefined ? [] : [['offer-expiry', offer.expiresAt]]),
          ...(remindAt === null ? [] : [['validation-reminder', remindAt]]),
        ]
        if (dialogue === 'ACTIVE' && remindAt !== null) reach('reminder')
        assert.deepEqual(armed.map(({ kind, dueAt }) => [kind, dueAt]).sort(), dialogue === 'ACTIVE' ? due : [])
      },
    ),
  }
}

/** What a client of a person must never be told. */
export function assertTold(payload: unknown): void {
  assert.doesNotMatch(JSON.stringify(payload), SECRET)
}

function sidesOf(tables: Tables, read: ReadTables): readonly Side[] {
  return tables.directions.range(ALL).flatMap(([[sid, guesser], row]) => {
    const dialogue = read(sessionTables).dialogues.get(sid)
    assert.ok(dialogue !== undefined && dialogue.partnerId !== null)
    const { status, creatorId, partnerId } = dialogue
    const subject = guesser === creatorId ? partnerId : creatorId
    const attempt = tables.attempts.get([sid, guesser]) ?? null
    const results = tables.results.range({ prefix: [sid, guesser], ...ALL }).map(([, found]) => found)
    // What the guesser may look at: some of the partner's steps are among them.
    const steps = tables.audit.range({ prefix: [sid, guesser], ...ALL }).map(([, step]) => step)
    const trail = steps.filter((step) => step.guesser === guesser)
    return [{ sid, guesser, subject, dialogue: status, row, attempt, results, trail }]
  })
}

const isOpen = ({ dialogue }: Side): boolean => dialogue === 'ACTIVE' || dialogue === 'PAUSED'

function trailHolds({ row, attempt, trail }: Side, reach: (what: string) => void): void {
  let at: Step['to'] = null
  for (const [position, { from, to, trigger, statusSeq }] of trail.entries()) {
    assert.equal(from, at)
    assert.equal(statusSeq, position + 1)
    const step = STEPS[`${from} ${to} ${trigger}`]
    assert.ok(step !== undefined, `${from} → ${to} by ${trigger}`)
    reach(step)
    at = to
  }
  assert.equal(attempt?.status ?? null, at)
  assert.equal(row.statusSeq, trail.length)
  if (at !== null) reach(at)
}

function offerHolds(side: Side, reach: (what: string) => void): void {
  const { row, attempt } = side
  const open = row.offers.filter(({ status }) => status === 'PENDING' || status === 'OFFERED')
  assert.ok(row.offers.length <= 1)
  assert.equal(open.length, attempt?.status === 'AWAITING_SHARING' && isOpen(side) ? 1 : 0)
  assert.equal(row.shareHistory.length, row.offers.filter(({ status }) => status === 'ACCEPTED').length)
  for (const { status, refineTask } of row.offers) {
    reach(`offer ${status}`)
    if (refineTask !== null) reach('refining')
    assert.ok(refineTask === null || open.length === 1)
  }
  for (const { delivery } of row.shareHistory) reach(`shared ${delivery}`)
}

function countsHold({ row, attempt, results }: Side, reach: (what: string) => void): void {
  assert.ok(row.resubmits <= row.revision)
  assert.ok(row.analyses <= ANALYSES_MAX)
  assert.ok(results.length <= row.analyses)
  if (row.resubmits > RESUBMITS_MAX) assert.ok(row.breakerTripped)
  assert.ok(results.filter(({ supersededAt }) => supersededAt === null).length <= 1)
  for (const { degraded, note } of results) {
    if (degraded) reach('degraded')
    if (note !== null) reach(`note ${note}`)
  }
  if (row.breakerTripped) reach('tripped')
  if (attempt !== null) reach(`delivery ${attempt.delivery}`)
  if (attempt?.hidden === true) {
    reach('hidden')
    assert.notEqual(attempt.revealedContent, null)
  }
}

function secretsHold({ sid, guesser, subject, row, attempt }: Side, read: ReadTables, tables: Tables): void {
  const reader = { read } as Parameters<typeof statusOf>[0]
  const shown = (user: string, partner: string) =>
    statusOf(reader, tables as unknown as ReconcilerView, { sid, user, partner })
  const { own } = shown(guesser, subject)
  const { partner } = shown(subject, guesser)
  for (const view of [own, partner]) assert.doesNotMatch(JSON.stringify(view), SECRET)
  const refining = attempt?.status === 'REFINING'
  if (!refining) assert.equal(own.guidance, null)
  assert.doesNotMatch(JSON.stringify(partner), /HINT/)
  if (row.shareHistory.length === 0) assert.doesNotMatch(JSON.stringify(own), /SUGGESTION/)
  if (attempt === null || attempt.revealedContent === null || attempt.hidden) assert.equal(partner.statement, null)
  for (const [, { text, senderId }] of read(sessionTables).messages.range({ prefix: [sid, guesser], ...ALL })) {
    assert.doesNotMatch(text ?? '', SECRET)
    // What somebody shared lies in the own log too.
    if (row.shareHistory.length > 0 || senderId === guesser) continue
    assert.doesNotMatch(text ?? '', /SUGGESTION/)
  }
}

/** What one entry leaves to the next: each run begins with none. */
class History {
  private readonly seen = new Map<string, number>()
  private readonly revealed = new Map<string, string>()

  /** The steps of the entry that was applied last. */
  oneDirection(tables: Tables, read: ReadTables): void {
    if (tables.directions.range({ limit: 1 }).length === 0) this.seen.clear()
    const moved = new Map<string, { readonly guesser: string; readonly by: string | null }[]>()
    for (const { sid, guesser, trail } of sidesOf(tables, read)) {
      const key = `${sid} ${guesser}`
      const fresh = trail.slice(this.seen.get(key) ?? 0).filter(({ trigger }) => trigger !== 'reveal')
      this.seen.set(key, trail.length)
      moved.set(sid, [...(moved.get(sid) ?? []), ...fresh])
    }
    for (const steps of moved.values()) {
      if (!steps.some(({ by }) => by !== null)) continue
      assert.equal(new Set(steps.map(({ guesser }) => guesser)).size, 1)
    }
  }

  /** The first reveal is one entry for both, and what a subject reads is the guess as it was at the last one. */
  shown(tables: Tables, read: ReadTables): void {
    if (tables.directions.range({ limit: 1 }).length === 0) this.revealed.clear()
    for (const { sid, guesser, attempt, trail } of sidesOf(tables, read)) {
      const reveals = trail.filter(({ trigger }) => trigger === 'reveal')
      const { firstRevealAt = null } = tables.exchanges.get(sid) ?? {}
      assert.ok(reveals.every(({ at }) => firstRevealAt !== null && at >= firstRevealAt))
      if (firstRevealAt !== null) assert.equal(reveals[0]?.at, firstRevealAt)
      if (attempt === null || attempt.revealedContent === null) continue
      const key = `${sid} ${guesser} ${reveals.length}`
      const first = this.revealed.get(key) ?? attempt.content
      this.revealed.set(key, first)
      assert.equal(attempt.revealedContent, first)
    }
  }
}
