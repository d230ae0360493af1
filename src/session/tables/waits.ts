import { lowerBoundBy } from '../../base/binary-search.ts'
import type { Millis, SessionId } from '../../base/brand.ts'
import type { WaitLimits } from '../../codec/entry/payload.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Dictionary } from '../rows/dictionary.ts'
import { SpreadMap } from '../../base/spread-map.ts'
import { FAMILY, type RowKeys } from '../rows/row-keys.ts'
import type { WaitEnd } from '../user-machine.ts'
import { Retention } from './retention.ts'
import { TASK_MACHINE } from './tasks.ts'
import type { Timers } from './timers.ts'
import {
  type EndedWait,
  type Keeping,
  type SignalRow,
  WAIT_CHAIN_MAX,
  WAIT_ENDS_MAX,
  WAIT_TIMER,
  type Waiting,
  type WaiterRow,
} from './wait-rows.ts'

/** Of one key of one machine: waiters or kept signals, never both, each in the order of their numbers. */
export interface WaitQueue {
  /** The key's parts in the keys of rows, after the family. */
  readonly parts: string
  readonly waiters: WaiterRow[]
  readonly signals: SignalRow[]
}

/** One change of the running transaction, so that it can be taken back. */
type Change =
  | { readonly kind: 'waiter'; readonly queue: WaitQueue; readonly row: WaiterRow; readonly added: boolean }
  | { readonly kind: 'signal'; readonly queue: WaitQueue; readonly row: SignalRow; readonly added: boolean }

/**
 * The table of waits and kept signals, and what the running transaction changes of them: the lists change at once and are put
 * back by a rollback, the rows and timers change at the commit. Nobody reads the lists but transactions, of which one runs at a
 * time.
 *
 * PERF: a transaction that does not use them costs a comparison. A change costs one lookup and a move within the list of
 * its key, which a limit bounds.
 */
export class Waits {
  /** Of the end whose hook runs now; 0: none. */
  depth = 0
  /** Ends that have come, from `head` on not delivered yet; none between two entries. */
  private readonly ended: EndedWait[] = []
  private head = 0
  /** Ends that signals and waits have brought since there was none to deliver, and those that are staged. */
  private brought = 0
  private bringing = 0
  private readonly queues = new SpreadMap<WaitQueue>()
  private readonly byId = new SpreadMap<WaiterRow>()
  private readonly byOwner = new SpreadMap<WaiterRow[]>()
  private readonly signalUntil = new SpreadMap<SignalRow>()
  private readonly changes: Change[] = []
  private readonly staged: EndedWait[] = []
  /** Queues that were made since the last commit or rollback: they go again when they are empty. */
  private readonly touched: WaitQueue[] = []
  private number = 1
  private numberCommitted = 1
  private readonly retention = new Retention(
    (key) => this.signalUntil.get(key)?.until ?? null,
    (key) => this.drop(key),
  )
  private readonly dictionary: Dictionary
  private readonly keys: RowKeys
  private readonly timers: Timers

  constructor(dictionary: Dictionary, keys: RowKeys, timers: Timers) {
    this.dictionary = dictionary
    this.keys = keys
    this.timers = timers
  }

  /** Number of the next waiter or signal. */
  get next(): number {
    return this.number
  }

  set next(number: number) {
    this.number = number
    this.numberCommitted = number
  }

  /** Waits stored. */
  get size(): number {
    return this.byId.size
  }

  /** Signals kept, also those whose time has passed and that nothing has removed yet. */
  get kept(): number {
    return this.signalUntil.size
  }

  find(waitId: string): WaiterRow | null {
    return this.byId.get(waitId) ?? null
  }

  /** Waits that end with that session. */
  ownedBy(owner: SessionId): number {
    return this.byOwner.get(owner)?.length ?? 0
  }

  /** Waiters and kept signals of a key; null: neither. */
  peek(machine: string, key: string): WaitQueue | null {
    return this.queues.get(this.keys.row('', machine, key)) ?? null
  }

  /**
   * Stages a wait and returns its id: stored, or ended at once by the oldest signal that is kept, or because its owner is gone.
   * Null: there is no room for it.
   */
  wait(waiter: Omit<WaiterRow, 'number' | 'waitId'>, given: Waiting): string | null {
    const { machine, key, owner, createdAt: now } = waiter
    const queue = this.queueOf(machine, key)
    const kept = queue.signals.find(({ until }) => until > now)
    const endsNow = given.ownerGone || kept !== undefined
    if (endsNow ? !this.mayEnd : !this.hasRoom(queue, owner, given.limits)) return null
    const number = this.nextNumber()
    const row: WaiterRow = { waitId: `${given.incarnation}-wait-${number}`, number, ...waiter }
    if (given.ownerGone) this.bring(row, { kind: 'ownerEnded' })
    else {
      // What is past its time is not there, whether a sweep has come to it or not.
      const gone = kept === undefined ? queue.signals.length : queue.signals.indexOf(kept) + 1
      for (const signal of queue.signals.slice(0, gone))
        this.change({ kind: 'signal', queue, row: signal, added: false })
      if (kept !== undefined) this.bring(row, { kind: 'signalled', value: kept.value })
      else this.change({ kind: 'waiter', queue, row, added: true })
    }
    return row.waitId
  }

  /** Stages a signal: to the waiter that waits longest, or kept, or neither, when there is no room. */
  signal(machine: string, key: string, value: Value, keeping: Keeping): 'taken' | 'kept' | 'refused' {
    const queue = this.queueOf(machine, key)
    const [waiter] = queue.waiters
    if (waiter !== undefined) {
      if (!this.mayEnd) return 'refused'
      this.change({ kind: 'waiter', queue, row: waiter, added: false })
      this.bring(waiter, { kind: 'signalled', value })
      return 'taken'
    }
    if (!this.makeRoom(queue, keeping)) return 'refused'
    const { now: at, until } = keeping
    const row = { number: this.nextNumber(), machine, key, value, at, until }
    this.change({ kind: 'signal', queue, row, added: true })
    return 'kept'
  }

  /** Stages the removal of a machine's wait, which then has no end; false when there is no such wait. */
  cancel(machine: string, waitId: string): boolean {
    const waiter = this.byId.get(waitId)
    if (waiter === undefined || waiter.machine !== machine) return false
    this.change({ kind: 'waiter', queue: this.queueOf(machine, waiter.key), row: waiter, added: false })
    return true
  }

  commit(): void {
    if (this.touched.length + this.changes.length + this.staged.length === 0) return
    for (const change of this.changes) this.settle(change)
    // One by one: the arguments of a call lie on the stack, which ends at some hundred thousand.
    for (const end of this.staged) this.ended.push(end)
    this.brought += this.bringing
    this.numberCommitted = this.number
    this.forget()
  }

  rollback(): void {
    if (this.touched.length + this.changes.length + this.staged.length === 0) return
    for (let at = this.changes.length - 1; at >= 0; at -= 1) {
      const change = this.changes[at] as Change
      this.place({ ...change, added: !change.added })
    }
    this.number = this.numberCommitted
    this.forget()
  }

  /** Outside any transaction: the time of a wait is over. */
  timeOut(waitId: string): void {
    const waiter = this.byId.get(waitId)
    if (waiter !== undefined) this.endNow([waiter], { kind: 'timedOut' })
  }

  /** Outside any transaction: all waits of a session that has ended end with it, oldest first. */
  endOwner(owner: SessionId): void {
    const waiters = this.byOwner.get(owner)
    if (waiters !== undefined) this.endNow([...waiters], { kind: 'ownerEnded' })
  }

  /** No end waits to be delivered. */
  get allDelivered(): boolean {
    return this.head === this.ended.length
  }

  /** The end to deliver next, or null. PERF: one comparison as a rule. */
  takeEnd(): EndedWait | null {
    if (this.ended.length === 0) return null
    const next = this.ended[this.head]
    this.head += 1
    if (next !== undefined) return next
    this.ended.length = 0
    this.head = 0
    this.brought = 0
    return null
  }

  /** Removes signals whose time is over, a bounded number. */
  sweep(now: Millis): void {
    this.retention.sweep(now)
  }

  restoreWaiter(row: WaiterRow): void {
    this.place({ kind: 'waiter', queue: this.lasting(row.machine, row.key), row, added: true })
  }

  restoreSignal(row: SignalRow): void {
    const queue = this.lasting(row.machine, row.key)
    this.place({ kind: 'signal', queue, row, added: true })
    this.retention.add(this.signalKey(queue, row), row.until)
  }

  /** The queue of a key, made when there is none. */
  protected queueOf(machine: string, key: string): WaitQueue {
    const before = this.queues.size
    const queue = this.lasting(machine, key)
    if (this.queues.size > before) this.touched.push(queue)
    return queue
  }

  /** The same for a row that stays: no transaction has to look after the queue. */
  private lasting(machine: string, key: string): WaitQueue {
    const parts = this.keys.row('', machine, key)
    const known = this.queues.get(parts)
    if (known !== undefined) return known
    const queue: WaitQueue = { parts, waiters: [], signals: [] }
    this.queues.set(parts, queue)
    return queue
  }

  /** Takes rows into a new queue that are no change. */
  protected adopt(machine: string, key: string, { waiters, signals }: WaitQueue): void {
    const queue = this.queueOf(machine, key)
    for (const row of waiters) this.place({ kind: 'waiter', queue, row, added: true })
    for (const row of signals) this.place({ kind: 'signal', queue, row, added: true })
  }

  /** How many more waits of an owner there are by what the running transaction has changed. */
  protected changeOf(owner: SessionId): number {
    let sum = 0
    for (const { kind, row, added } of this.changes) {
      if (kind === 'waiter' && (row as WaiterRow).owner === owner) sum += added ? 1 : -1
    }
    return sum
  }

  private hasRoom(queue: WaitQueue, owner: SessionId | null, limits: WaitLimits): boolean {
    if (queue.waiters.length >= limits.waitersPerKeyMax) return false
    return owner === null || this.ownedBy(owner) < limits.waitersPerSessionMax
  }

  /** Whether one more end may follow from what runs now. */
  private get mayEnd(): boolean {
    return this.depth < WAIT_CHAIN_MAX && this.brought + this.bringing < WAIT_ENDS_MAX
  }

  private nextNumber(): number {
    this.number += 1
    return this.number - 1
  }

  private bring(waiter: WaiterRow, end: WaitEnd): void {
    this.bringing += 1
    this.end(waiter, end)
  }

  private end(waiter: WaiterRow, end: WaitEnd): void {
    this.staged.push({ waiter, end, depth: this.depth + 1 })
  }

  private endNow(waiters: readonly WaiterRow[], end: WaitEnd): void {
    for (const row of waiters) {
      this.change({ kind: 'waiter', queue: this.queueOf(row.machine, row.key), row, added: false })
      this.end(row, end)
    }
    this.commit()
  }

  /** False when a signal finds no room and is not to make any. */
  private makeRoom(queue: WaitQueue, { now, keptMax, overflow }: Keeping): boolean {
    if (queue.signals.length < keptMax) return true
    for (const row of queue.signals.filter(({ until }) => until <= now)) {
      this.change({ kind: 'signal', queue, row, added: false })
    }
    // A loop: the limit may have been lowered since they were kept.
    while (queue.signals.length >= keptMax) {
      const row = overflow === 'dropOldest' ? queue.signals[0] : queue.signals.at(-1)
      if (overflow === 'reject' || row === undefined) return false
      this.change({ kind: 'signal', queue, row, added: false })
    }
    return true
  }

  private change(change: Change): void {
    this.place(change)
    this.changes.push(change)
  }

  /** Puts a row into the lists, or takes it out. */
  private place(change: Change): void {
    const { queue, row, added } = change
    if (change.kind === 'signal') {
      placeIn(queue.signals, change.row, added)
      if (added) this.signalUntil.set(this.signalKey(queue, row), change.row)
      else this.signalUntil.delete(this.signalKey(queue, row))
      return
    }
    const { waitId, owner } = change.row
    placeIn(queue.waiters, change.row, added)
    if (added) this.byId.set(waitId, change.row)
    else this.byId.delete(waitId)
    if (owner === null) return
    const owned = this.byOwner.get(owner) ?? []
    placeIn(owned, change.row, added)
    if (owned.length === 0) this.byOwner.delete(owner)
    else this.byOwner.set(owner, owned)
  }

  /** Carries a change out on rows and timers. */
  private settle(change: Change): void {
    const { dictionary, timers } = this
    const { queue, row, added } = change
    if (change.kind === 'signal') {
      const key = this.signalKey(queue, row)
      if (!added) dictionary.delete(key)
      else {
        dictionary.set(key, change.row)
        this.retention.add(key, change.row.until)
      }
    } else {
      const { waitId, dueAt } = change.row
      const key = this.keys.under(FAMILY.wait + queue.parts, row.number)
      const name = WAIT_TIMER + waitId
      if (added) dictionary.set(key, change.row)
      else dictionary.delete(key)
      if (added && dueAt !== null) timers.put({ machine: TASK_MACHINE, name, dueAt, payload: null })
      else if (!added) timers.remove(TASK_MACHINE, name)
    }
  }

  private forget(): void {
    for (const { queue } of this.changes) this.discard(queue)
    for (const queue of this.touched) this.discard(queue)
    this.touched.length = 0
    this.changes.length = 0
    this.staged.length = 0
    this.bringing = 0
  }

  /** An empty queue goes; by now another one may stand in its place, made after it had gone. */
  private discard(queue: WaitQueue): void {
    const { parts, waiters, signals } = queue
    const empty = waiters.length === 0 && signals.length === 0
    if (empty && this.queues.get(parts) === queue) this.queues.delete(parts)
  }

  /** The time of a kept signal is over. */
  private drop(key: string): void {
    const row = this.signalUntil.get(key)
    if (row === undefined) return
    const queue = this.queueOf(row.machine, row.key)
    this.place({ kind: 'signal', queue, row, added: false })
    this.dictionary.delete(key)
    this.discard(queue)
  }

  private signalKey(queue: WaitQueue, { number }: { readonly number: number }): string {
    return this.keys.under(FAMILY.signal + queue.parts, number)
  }
}

/** A row's place in a list is by its number. */
function placeIn<Row extends { readonly number: number }>(rows: Row[], row: Row, added: boolean): void {
  const last = rows.at(-1)
  if (added && (last === undefined || last.number < row.number)) rows.push(row)
  else rows.splice(lowerBoundBy(rows, row.number, numberOf), added ? 0 : 1, ...(added ? [row] : []))
}

const numberOf = (row: { readonly number: number }): number => row.number
