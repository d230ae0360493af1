import { parseSessionId } from '../../base/brand.ts'
import type { DeadLetter } from '../../session/dead-letter.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { Applied } from '../../session/state-machine.ts'
import type { ServerRequest } from '../../session/user-machine.ts'
import { Violation } from '../checkers/violation.ts'
import { BOARD, type Notice } from './board-machine.ts'

/** More than any outbox, and the table of dead letters, holds in a seed. */
const ALL = 1_000_000
/** Entries from one look at all dead letters to the next; between them only those are looked for that must be there. */
const LETTERS_CHECK_INTERVAL = 16

/**
 * Where a notice is: still in an outbox, acknowledged, among the dead letters, discarded there, dropped or replaced as its kind
 * may be, or gone with its session.
 */
type Fate = 'pending' | 'acknowledged' | 'dead' | 'discarded' | 'dropped' | 'replaced' | 'ended'

/** What became of the notices of a seed. */
export type FateCounts = { [Name in Exclude<Fate, 'pending'>]: number } & { redriven: number }

interface Emitted {
  readonly number: number
  /** Index of the session. */
  readonly session: number
  readonly kind: Notice['kind']
  fate: Fate
  /** In its outbox, or as it was there. */
  id: number
  burials: number
}

/** A notice that is no more in its outbox and was not acknowledged, and what its kind allows, if anything. */
interface Gone {
  readonly notice: Emitted
  readonly excuse: 'replaced' | 'dropped' | null
}

interface Reader {
  /** Requests of the outbox by id, rising. */
  pending: Map<number, Emitted>
  /** Highest id that was seen. */
  lastId: number
}

/**
 * Follows every notice that the machine has emitted, over all entries, by the rows alone: it is pending, acknowledged or dead,
 * never two of these and never none. Nothing is acknowledged that its client has not handled, and what leaves the dead letters
 * is discarded, or comes again under a new id, and takes the place of nothing that waits.
 */
export class NoticeFates {
  readonly counts: FateCounts = {
    acknowledged: 0,
    dead: 0,
    discarded: 0,
    dropped: 0,
    replaced: 0,
    ended: 0,
    redriven: 0,
  }
  private readonly notices: Emitted[] = []
  private readonly readers = new Map<number, Reader>()
  private readonly dead = new Map<number, Emitted>()
  /** `session/id` of what clients have handled. */
  private readonly handled = new Set<string>()

  /** A client has dealt with a request. */
  handles(session: number, { id, number }: { id: number; number: number }): void {
    const notice = this.notices[number - 1]
    if (notice?.session !== session) throw new Violation('a notice comes to whom it was sent', { session, id, number })
    this.handled.add(`${session}/${id}`)
  }

  /** Nothing is under way, but to whoever may be gone for good (`mayStay`). */
  settled(mayStay: (session: number) => boolean): boolean {
    for (const [session, { pending }] of this.readers) if (pending.size > 0 && !mayStay(session)) return false
    return true
  }

  /** After each entry, on whoever applies it first. */
  applied(applied: Applied, machine: SessionStateMachine): void {
    const { index, reply } = applied
    const fresh = this.emitted(machine)
    const moved = reply.kind === 'moved' ? this.moved(index, machine, reply.outcomes) : []
    const gone: Gone[] = []
    for (const [session, reader] of this.readers) this.follow({ session, reader, machine, index, gone, fresh, moved })
    if (reply.kind === 'moved' && gone.length > 0)
      throw new Violation('a letter that is moved drops nothing that waits', {
        index,
        notices: gone.map(({ notice }) => notice.number),
      })
    if (gone.length > 0) this.bury(index, machine, gone)
    if (index % LETTERS_CHECK_INTERVAL === 0) this.checkLetters(index, machine)
    for (const notice of fresh) {
      if (notice.kind !== 'hint') throw new Violation('what is emitted is pending', { index, ...notice })
      this.ends(notice, 'dropped')
    }
    if (moved.length > 0) throw new Violation('what is redriven is pending', { index, notices: moved.map(numberOf) })
  }

  /** In the end, on each node. */
  checkEnd(machine: SessionStateMachine): void {
    const index = machine.appliedIndex
    this.checkLetters(index, machine)
    for (const { number, burials } of this.notices) {
      const answer = machine.query({ machine: BOARD, query: 'buried', input: number, session: null })
      const heard = answer.kind === 'value' ? answer.value : null
      if (heard !== burials) throw new Violation('the machine hears of each burial', { index, number, burials, heard })
    }
  }

  /** What this entry has emitted. */
  private emitted(machine: SessionStateMachine): Set<Emitted> {
    const from = this.notices.length + 1
    const answer = machine.query({ machine: BOARD, query: 'notices', input: from, session: null })
    const fresh = new Set<Emitted>()
    if (answer.kind !== 'value') return fresh
    // As the query's schema says.
    for (const [number, to, kind] of answer.value as unknown as readonly [number, string, Notice['kind']][]) {
      const session = parseSessionId(to)?.index ?? 0
      const notice: Emitted = { number, session, kind, fate: 'pending', id: 0, burials: 0 }
      this.notices.push(notice)
      fresh.add(notice)
      if (!this.readers.has(session)) this.readers.set(session, { pending: new Map(), lastId: 0 })
    }
    return fresh
  }

  /** Letters that have left their table: those redriven, which must be pending now. */
  private moved(index: number, machine: SessionStateMachine, outcomes: readonly string[]): Emitted[] {
    const letters = new Set(machine.deadLetters(0, ALL).map(({ letter }) => letter))
    const left = [...this.dead].filter(([letter]) => !letters.has(letter))
    const of = (outcome: string): number => outcomes.filter((each) => each === outcome).length
    if (left.length !== of('redriven') + of('discarded'))
      throw new Violation('a letter that is moved leaves once', {
        index,
        outcomes,
        left: left.map(([letter]) => letter),
      })
    for (const [letter] of left) this.dead.delete(letter)
    if (of('redriven') === 0) for (const [, notice] of left) this.ends(notice, 'discarded')
    return of('redriven') === 0 ? [] : left.map(([, notice]) => notice)
  }

  private follow(step: {
    readonly session: number
    readonly reader: Reader
    readonly machine: SessionStateMachine
    readonly index: number
    readonly gone: Gone[]
    readonly fresh: Set<Emitted>
    readonly moved: Emitted[]
  }): void {
    const { session, reader, machine, index } = step
    const facts = machine.sessionFacts(session)
    if (facts === null) {
      this.readers.delete(session)
      for (const notice of reader.pending.values()) this.ends(notice, 'ended')
      return
    }
    const { acknowledged, lastServerRequestId } = facts
    const outbox = machine.outbox(session, 0, ALL)
    this.checkOrder({ session, index, acknowledged, last: lastServerRequestId }, outbox)
    const before = reader.pending
    reader.pending = new Map()
    for (const request of outbox) {
      const id: number = request.serverRequestId
      const known = before.get(id)
      reader.pending.set(id, known ?? this.arrives({ ...step, id }, request))
      before.delete(id)
    }
    reader.lastId = lastServerRequestId
    for (const [id, notice] of before) this.left(step, notice, { id, acknowledged })
  }

  /** Ids rise, none is acknowledged, and each request names the one before it. */
  private checkOrder(
    { session, index, acknowledged, last }: { session: number; index: number; acknowledged: number; last: number },
    outbox: readonly ServerRequest[],
  ): void {
    let before = acknowledged
    for (const [at, { serverRequestId: id, previousId }] of outbox.entries()) {
      const chained = at === 0 ? previousId <= acknowledged : previousId === before
      if (id <= before || id > last || !chained)
        throw new Violation('an outbox is in order, without a gap', { session, index, id, previousId, before, last })
      before = id
    }
  }

  /** A request that was not there before: just emitted, or redriven. */
  private arrives(
    step: { session: number; reader: Reader; index: number; id: number; fresh: Set<Emitted>; moved: Emitted[] },
    request: ServerRequest,
  ): Emitted {
    const { session, reader, index, id, fresh, moved } = step
    const number = numberIn(request)
    const notice = this.notices[number - 1]
    const facts = { session, index, id, number, fate: notice?.fate }
    if (id <= reader.lastId) throw new Violation('a new request has a new id', { ...facts, last: reader.lastId })
    if (notice?.session !== session) throw new Violation('a notice is in the outbox of whom it was sent to', facts)
    const again = moved.indexOf(notice)
    if (again >= 0) {
      moved.splice(again, 1)
      this.counts.redriven += 1
    } else if (!fresh.delete(notice)) throw new Violation('a notice is pending once', facts)
    notice.fate = 'pending'
    notice.id = id
    return notice
  }

  /** A request that is no more in its outbox. */
  private left(
    { session, reader, machine, index, gone }: Parameters<NoticeFates['follow']>[0],
    notice: Emitted,
    { id, acknowledged }: { id: number; acknowledged: number },
  ): void {
    if (id <= acknowledged) {
      if (!this.handled.has(`${session}/${id}`))
        throw new Violation('only what was handled is acknowledged', { session, index, id, acknowledged })
      return this.ends(notice, 'acknowledged')
    }
    const waiting = [...reader.pending.values()]
    const replaced = notice.kind === 'latest' && waiting.some((each) => each.kind === 'latest' && each.id > id)
    const full = waiting.length >= machine.limits.outboxCountMax
    const dropped = notice.kind === 'hint' && full && !waiting.some((each) => each.kind === 'hint' && each.id < id)
    gone.push({ notice, excuse: replaced ? 'replaced' : dropped ? 'dropped' : null })
  }

  /** What has left its outbox in no other way is dead. */
  private bury(index: number, machine: SessionStateMachine, gone: readonly Gone[]): void {
    const letters = machine.deadLetters(0, ALL).filter(({ letter }) => !this.dead.has(letter))
    for (const { notice, excuse } of gone) {
      const { session, id, number, kind } = notice
      const letter = letters.find((each) => isOf(each, notice))
      if (letter !== undefined) {
        this.dead.set(letter.letter, notice)
        notice.burials += 1
        this.ends(notice, 'dead')
      } else if (excuse !== null) this.ends(notice, excuse)
      else throw new Violation('a notice is acknowledged, dead or pending', { index, session, id, number, kind })
    }
  }

  private checkLetters(index: number, machine: SessionStateMachine): void {
    const letters = machine.deadLetters(0, ALL)
    for (const letter of letters) {
      const notice = this.dead.get(letter.letter)
      if (notice !== undefined && isOf(letter, notice)) continue
      const { serverRequestId: id } = letter.request
      throw new Violation('a dead letter is not in an outbox as well', { index, letter: letter.letter, id })
    }
    if (letters.length !== this.dead.size)
      throw new Violation('no dead letter is lost', { index, letters: letters.length, dead: this.dead.size })
  }

  private ends(notice: Emitted, fate: keyof Omit<FateCounts, 'redriven'>): void {
    notice.fate = fate
    this.counts[fate] += 1
  }
}

const numberOf = ({ number }: Emitted): number => number

/** Number of the notice that a request carries. */
function numberIn({ payload }: ServerRequest): number {
  // What the machine of this folder has emitted.
  return (payload as { readonly number: number }).number
}

function isOf({ target, request }: DeadLetter, { session, id, number }: Emitted): boolean {
  const here = parseSessionId(target.id)?.index === session && request.serverRequestId === id
  return here && numberIn(request) === number
}
