import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { LiveSessions } from '../clients/live-sessions.ts'
import { SessionRecord } from '../clients/session-record.ts'
import { Workers } from '../clients/workers.ts'

/**
 * The sessions of the state, each as a record of its own once it is looked up. It begins on the page that the state's record is
 * on, and turns to a copy of it before its first change (`ReplicatedState.draft`).
 */
export class OverlaySessions extends LiveSessions {
  override readonly workers: Workers
  private readonly base: LiveSessions
  private readonly own = new Map<number, SessionRecord>()

  constructor(base: LiveSessions, refuse: () => never) {
    super()
    this.base = base
    this.workers = new NoWorkers(refuse)
  }

  override at(index: number): SessionRecord | null {
    const there = this.base.at(index)
    return there === null ? null : this.ownOf(there)
  }

  override find(numbers: SessionNumbers): SessionRecord | null {
    const there = this.base.find(numbers)
    return there === null ? null : this.ownOf(there)
  }

  override ofPrincipal(principal: string): SessionRecord | SessionRecord[] | null {
    const there = this.base.ofPrincipal(principal)
    if (there === null) return null
    return Array.isArray(there) ? there.map((session) => this.ownOf(session)) : this.ownOf(there)
  }

  override principals(prefix: string): string[] {
    return this.base.principals(prefix)
  }

  private ownOf(there: SessionRecord): SessionRecord {
    const { index } = there.row
    const known = this.own.get(index)
    if (known !== undefined) return known
    const session = new SessionRecord(there.row)
    session.page = there.page
    this.own.set(index, session)
    return session
  }
}

/** Who works on what is not followed. */
class NoWorkers extends Workers {
  private readonly refuse: () => never

  constructor(refuse: () => never) {
    super()
    this.refuse = refuse
  }

  override lease(): void {
    this.refuse()
  }

  override pick(): null {
    return this.refuse()
  }
}
