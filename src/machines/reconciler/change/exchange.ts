import type { Value } from '../../../machine/index.ts'
import { sessionTables } from '../../gates/facts/dialogues.ts'
import { EQUAL_SCAN_MAX } from '../facts/reconciler-bounds.ts'
import type { ReconcilerContext } from '../facts/reconciler-schema.ts'
import { peopleOf } from './access.ts'
import { directionOf, type Direction } from './direction.ts'

/** What the product itself says, in place of prose (domain.md §0.8). */
export type MessageKind =
  | 'ALIGNMENT_OK'
  | 'WAITING_NEUTRAL'
  | 'CONTEXT_INTRO'
  | 'CONTEXT_REFLECTION'
  | 'SHARE_ACK'
  | 'VALIDATION_FRAMING'
  | 'QUALITY_REVIEW_OK'
  | 'QUALITY_REVIEW_GAPS'

/** A person's words in somebody's log. */
interface Words {
  readonly forUser: string
  readonly senderId: string
  readonly role: 'EMPATHY_STATEMENT' | 'SHARED_CONTEXT' | 'VALIDATION_FEEDBACK'
  readonly text: string
}

type Body = { readonly [field: string]: Value }

/** What somebody is to be told. */
interface Note {
  readonly to: string
  readonly topic: string
  readonly body: Body
}

/**
 * The work of one handler on the exchange of a dialogue. Rows are written at once; what people are told waits for `settle`,
 * because every notification carries what its receiver would be shown then, and one entry may take a direction through several
 * steps.
 */
export class Exchange {
  readonly ctx: ReconcilerContext
  readonly sid: string
  readonly people: readonly [string, string]
  private readonly told: Note[] = []
  private posted = 0

  constructor(ctx: ReconcilerContext, sid: string, people: readonly [string, string]) {
    this.ctx = ctx
    this.sid = sid
    // In one order, whoever acts: else what is told of a reveal would say whose command it was.
    const [one, other] = people
    this.people = one < other ? people : [other, one]
  }

  /** The direction of a guesser, as its rows are now. */
  of(guesser: string): Direction {
    const [one, other] = this.people
    return directionOf(this.ctx.state, { sid: this.sid, guesser, subject: guesser === one ? other : one })
  }

  /** Both, always in the same order. */
  both(): readonly [Direction, Direction] {
    const [one, other] = this.people
    return [this.of(one), this.of(other)]
  }

  /** Tells somebody something when the handler ends. */
  tell(to: string, topic: string, body: Body = {}): void {
    this.told.push({ to, topic, body })
  }

  /** Puts a person's words into a log. Returns the number that the message gets: the log is ordered by it, never by time. */
  post(words: Words): number {
    return this.publish({ ...words, kind: null })
  }

  /** Puts a message of the product into somebody's log. */
  say(forUser: string, kind: MessageKind): number {
    return this.publish({ forUser, senderId: null, role: 'AI', kind, text: null })
  }

  /** The same, unless the last thing that the product said there is this one. */
  sayOnce(forUser: string, kind: MessageKind): void {
    if (lastSaid(this.ctx, this.sid, forUser) !== kind) this.say(forUser, kind)
  }

  /** What people are to be told, in its order. */
  get notes(): readonly Note[] {
    return this.told
  }

  /** The machine session appends in the order of publication, so the numbers are known here. */
  private publish(message: Omit<Parameters<typeof publishMessage>[1], 'sid'>): number {
    publishMessage(this.ctx, { sid: this.sid, ...message })
    this.posted += 1
    return (this.ctx.read(sessionTables).dialogues.get(this.sid)?.msgSeq ?? 0) + this.posted
  }
}

/** The exchange of a dialogue in which both are; null where there never were two. */
export function exchangeOf(ctx: ReconcilerContext, sid: string): Exchange | null {
  const people = peopleOf(ctx.read(sessionTables), sid)
  return people === null ? null : new Exchange(ctx, sid, people)
}

function publishMessage(
  ctx: ReconcilerContext,
  message: {
    readonly sid: string
    readonly forUser: string
    readonly senderId: string | null
    readonly role: Words['role'] | 'AI'
    readonly kind: MessageKind | null
    readonly text: string | null
  },
): void {
  ctx.publish('MessagePosted', message)
}

/** What the product said last to somebody. A person's stage never falls, so the greatest key is the latest message. */
function lastSaid(ctx: ReconcilerContext, sid: string, forUser: string): string | null {
  const { messages } = ctx.read(sessionTables)
  const latest = messages.range({ prefix: [sid, forUser], limit: EQUAL_SCAN_MAX, reverse: true })
  return latest.map(([, message]) => message).find(({ role }) => role === 'AI')?.kind ?? null
}
