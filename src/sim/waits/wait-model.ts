import { unreachable } from '../../base/assert.ts'
import type { Millis } from '../../base/brand.ts'
import { WAIT_LIMITS } from '../../session/tables/wait-rows.ts'
import type { WaitEnd } from '../../session/user-machine.ts'
import { Violation } from '../checkers/violation.ts'
import { KEPT_MAX } from './wait-machine.ts'
import type { WaitEvent } from './wait-recorder.ts'

/** What became of the waits and signals of a seed. */
export interface WaitCounts {
  /** Waits that ended with a signal, whichever of the two came first. */
  races: number
  /** Of them, those whose signal came first and was kept. */
  kept: number
  timedOut: number
  ownerEnded: number
  cancelled: number
  refused: number
}

interface OpenWait {
  readonly waitId: string
  readonly dueAt: Millis | null
  readonly owner: string | null
}

interface OfKey {
  waits: OpenWait[]
  kept: { readonly id: string; readonly until: Millis }[]
}

type Of<Kind extends WaitEvent['kind']> = Extract<WaitEvent, { kind: Kind }>

/**
 * What must become of waits and signals, in plain lists, and that nothing else does: it follows the log by what the machine
 * asked for, and expects each end once, in the entry that brought it.
 */
export class WaitModel {
  readonly counts: WaitCounts = { races: 0, kept: 0, timedOut: 0, ownerEnded: 0, cancelled: 0, refused: 0 }
  private readonly keys = new Map<string, OfKey>()
  /** Ends that the entry owes, by wait. */
  private readonly owed = new Map<string, { kind: WaitEnd['kind']; id: string | null }>()
  private readonly delivered = new Set<string>()

  /** Waits that are open and will time out. */
  get timed(): number {
    return [...this.keys.values()].reduce((sum, of) => sum + of.waits.filter(({ dueAt }) => dueAt !== null).length, 0)
  }

  /** What the machine did in the entry at `index`, in order. */
  applied(index: number, events: readonly WaitEvent[]): void {
    for (const event of events) this.follow(index, event)
    if (this.owed.size === 0) return
    throw new Violation('the end of a wait is not missed', { index, waits: [...this.owed.keys()].join(' ') })
  }

  private follow(index: number, event: WaitEvent): void {
    switch (event.kind) {
      case 'wait':
        this.wait(index, event)
        return
      case 'signal':
        this.signal(index, event)
        return
      case 'cancelled':
        this.cancelled(index, event)
        return
      case 'left':
        this.left(event.session)
        return
      case 'ended':
        this.ended(index, event)
        return
      default:
        unreachable(event)
    }
  }

  private wait(index: number, { waitId, key, dueAt, owner, now }: Of<'wait'>): void {
    const of = this.ofKey(key, now)
    const signal = of.kept[0]
    const full = signal === undefined && of.waits.length >= WAIT_LIMITS.waitersPerKeyMax
    if ((waitId === null) !== full)
      throw new Violation('a wait is refused where there is no room', { index, waitId, key })
    if (waitId === null) return
    if (signal === undefined) of.waits.push({ waitId, dueAt, owner })
    else {
      of.kept.shift()
      this.counts.kept += 1
      this.owed.set(waitId, { kind: 'signalled', id: signal.id })
    }
  }

  private signal(index: number, { id, key, fate, until, overflow, now }: Of<'signal'>): void {
    const of = this.ofKey(key, now)
    const waiter = of.waits.shift()
    const full = of.kept.length >= KEPT_MAX
    const expected = waiter !== undefined ? 'taken' : full && overflow === 'reject' ? 'refused' : 'kept'
    if (fate !== expected) throw new Violation('a signal finds who waits for it', { index, key, id, fate, expected })
    if (waiter !== undefined) {
      const late = waiter.dueAt !== null && waiter.dueAt <= now
      if (late) throw new Violation('a wait whose time is over takes no signal', { index, waitId: waiter.waitId, now })
      this.owed.set(waiter.waitId, { kind: 'signalled', id })
    } else if (expected === 'refused') this.counts.refused += 1
    else {
      if (full && overflow === 'dropOldest') of.kept.shift()
      else if (full) of.kept.pop()
      of.kept.push({ id, until })
    }
  }

  private cancelled(index: number, { waitId, done }: Of<'cancelled'>): void {
    const open = this.takeOut(waitId) !== null
    if (open !== done) throw new Violation('a wait that is open is cancelled', { index, waitId, done, open })
    if (done) this.counts.cancelled += 1
  }

  /** The waits of a session that has ended end with it. */
  private left(session: string): void {
    for (const of of this.keys.values()) {
      for (const { waitId, owner } of of.waits)
        if (owner === session) this.owed.set(waitId, { kind: 'ownerEnded', id: null })
      of.waits = of.waits.filter(({ owner }) => owner !== session)
    }
  }

  private ended(index: number, { waitId, end, now }: Of<'ended'>): void {
    if (end.kind === 'timedOut') {
      const wait = this.takeOut(waitId)
      const due = wait?.dueAt ?? null
      if (due === null || due > now)
        throw new Violation('a wait times out once, at its time', { index, waitId, due, now })
      this.counts.timedOut += 1
      return
    }
    const owed = this.owed.get(waitId)
    const id = end.kind === 'signalled' ? String(end.value) : null
    if (owed === undefined || owed.kind !== end.kind || owed.id !== id)
      throw new Violation('a wait ends once, with the signal that is its own', { index, waitId, end: end.kind, id })
    this.owed.delete(waitId)
    if (id === null) {
      this.counts.ownerEnded += 1
      return
    }
    if (this.delivered.has(id)) throw new Violation('a signal ends one wait', { index, waitId, id })
    this.delivered.add(id)
    this.counts.races += 1
  }

  private takeOut(waitId: string): OpenWait | null {
    for (const of of this.keys.values()) {
      const at = of.waits.findIndex((wait) => wait.waitId === waitId)
      if (at >= 0) return of.waits.splice(at, 1)[0] ?? null
    }
    return null
  }

  /** Without what is past its time. */
  private ofKey(key: string, now: Millis): OfKey {
    const of = this.keys.get(key) ?? { waits: [], kept: [] }
    this.keys.set(key, of)
    of.kept = of.kept.filter(({ until }) => until > now)
    return of
  }
}
