import { assert } from '../../base/assert.ts'
import type { LimitsRow } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import { SessionRecord } from '../clients/session-record.ts'
import { readMetaRow } from './meta-row.ts'
import { BARE_VALUE, isBareKey } from '../rows/bare-keys.ts'
import type { OnceRow } from '../tables/once-table.ts'
import type { MailRow, PrincipalRow } from '../tables/principals.ts'
import type { ReplicatedState } from './replicated-state.ts'
import { FAMILY, HELD_FAMILIES, USER_PREFIX } from '../rows/row-keys.ts'
import { type CachedResponse, type OutboxRow, restoredRow } from '../rows/session-rows.ts'
import type { ScheduleRow } from '../schedules/schedule-rows.ts'
import type { TaskRow } from '../tables/tasks.ts'
import type { TimerRow } from '../tables/due-timer.ts'
import type { TombstoneRow } from '../tables/tombstones.ts'
import type { SignalRow, WaiterRow } from '../tables/wait-rows.ts'

/** Rows between two steps: far less than a millisecond of work. */
const STEP_ROWS = 64

/**
 * Loads the rows of a snapshot and rebuilds everything derived from them. Rows may come in any order: they are indexed
 * when all are there, sessions first. Casts: a row was written by this folder under the family that its key names.
 */
export class Restore {
  private readonly state: ReplicatedState
  private steps: Generator<undefined, void> | null = null
  private readonly byFamily = new Map<string, [string, Value][]>()

  constructor(state: ReplicatedState) {
    this.state = state
  }

  row(key: string, value: Value): void {
    const { dictionary, userRows, codec } = this.state
    // Machines get shared, frozen values, from a snapshot as from a write.
    codec.walkRow(value, { high: 0, low: 0 })
    if (key.startsWith(USER_PREFIX)) {
      const own = key.slice(USER_PREFIX.length)
      if (!isBareKey(own)) userRows.restore(own, value)
      else {
        assert(value === BARE_VALUE, 'a row that is its key alone has the value true', { key })
        userRows.bare.restore(own)
      }
      return
    }
    const family = familyOf(key)
    if (key !== FAMILY.meta && !HELD_FAMILIES.includes(family)) dictionary.restore(key, value)
    const rows = this.byFamily.get(family)
    if (rows === undefined) this.byFamily.set(family, [[key, value]])
    else rows.push([key, value])
  }

  /**
   * All rows are there: the next step of rebuilding the indexes, with a check of the snapshot's position against its own row.
   * True while there is another one.
   */
  next(position: { index: number; lease: number; now: number }): boolean {
    this.steps ??= this.finish(position)
    return this.steps.next().done !== true
  }

  private *finish(position: { index: number; lease: number; now: number }): Generator<undefined, void> {
    const { state } = this
    for (const [, value] of this.rows(FAMILY.meta)) readMetaRow(state, value)
    assert(state.index === position.index, 'a snapshot holds the state of its own index', {
      row: state.index,
      position: position.index,
    })
    state.lease = Math.max(state.lease, position.lease)
    state.now = Math.max(state.now, position.now)
    for (const [, value] of this.rows(FAMILY.limits)) state.limits = value as unknown as LimitsRow
    for (const [key, value] of this.rows(FAMILY.version)) state.versions.restore(key, value)
    yield* this.sessions()
    yield* this.tables()
    state.dictionary.swap(state.index)
    state.userRows.swap(state.index)
    this.byFamily.clear()
  }

  private *sessions(): Generator<undefined, void> {
    const { state } = this
    yield* this.each(FAMILY.client, (_key, value) => {
      const session = new SessionRecord(restoredRow(value, state.sessions.terms))
      state.sessions.add(session)
      state.expiry.add(session.row.index, session.row.renewedLease + session.row.terms.timeoutMs)
    })
    yield* this.each(FAMILY.response, (key, value) => {
      this.owner(FAMILY.response, key).page.addResponse(value as unknown as CachedResponse)
      state.heldRows += 1
    })
    const unsorted = new Set<SessionRecord>()
    yield* this.each(FAMILY.outbox, (key, value) => {
      const owner = this.owner(FAMILY.outbox, key)
      owner.addRequest(value as unknown as OutboxRow)
      unsorted.add(owner)
      state.heldRows += 1
    })
    yield* inSteps(unsorted, ({ page }) => {
      if (page.outbox.length > 1) page.outbox.sort((a, b) => a.serverRequestId - b.serverRequestId)
    })
  }

  private *tables(): Generator<undefined, void> {
    const { state } = this
    yield* this.each(FAMILY.tombstone, (key, value) => state.tombstones.restore(key, value as TombstoneRow))
    yield* this.each(FAMILY.timer, (key, value) => state.timers.restore(key, value as TimerRow))
    yield* this.each(FAMILY.once, (key, value) => state.once.restore(key, value as OnceRow))
    yield* this.each(FAMILY.deadLetter, (key, value) => state.deadLetters.restore(key, value))
    yield* this.each(FAMILY.principal, (key, value) => state.principals.restorePrincipal(key, value as PrincipalRow))
    yield* this.each(FAMILY.mailbox, (key, value) =>
      state.principals.restoreMail(String(state.keys.parts(FAMILY.mailbox, key)[0]), value as MailRow),
    )
    yield* this.each(FAMILY.wait, (_, value) => state.waits.restoreWaiter(value as unknown as WaiterRow))
    yield* this.each(FAMILY.signal, (_, value) => state.waits.restoreSignal(value as unknown as SignalRow))
    yield* this.each(FAMILY.schedule, (key, value) => state.schedules.restore(key, value as unknown as ScheduleRow))
    yield* this.each(FAMILY.task, (_, value) => {
      const task = value as unknown as TaskRow
      state.tasks.restore(task)
      const worker =
        task.status === 'LEASED' && task.assignedTo !== null ? state.sessions.findById(task.assignedTo) : null
      if (worker !== null) state.sessions.workers.lease(worker, 1)
    })
  }

  private each(family: string, take: (key: string, value: Value) => void): Generator<undefined, void> {
    return inSteps(this.rows(family), ([key, value]) => take(key, value))
  }

  private rows(family: string): readonly [string, Value][] {
    return this.byFamily.get(family) ?? []
  }

  private owner(family: string, key: string): SessionRecord {
    const index = this.state.keys.parts(family, key)[0]
    const session = this.state.sessions.at(Number(index))
    assert(session !== null, 'a row of a session has its session', { family, index })
    return session
  }
}

function* inSteps<Item>(items: Iterable<Item>, take: (item: Item) => void): Generator<undefined, void> {
  let taken = 0
  for (const item of items) {
    take(item)
    taken += 1
    if (taken % STEP_ROWS === 0) yield
  }
}

/** `session/<name>/` of a key, or the whole key of a family that is one row. */
function familyOf(key: string): string {
  const slash = key.indexOf('/', 'session/'.length)
  return slash < 0 ? key : key.slice(0, slash + 1)
}
