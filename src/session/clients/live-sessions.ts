import { type Millis, parseSessionId, type SessionId } from '../../base/brand.ts'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { IndexList } from './index-list.ts'
import type { SessionRecord } from './session-record.ts'
import { Workers } from './workers.ts'

/**
 * The live client sessions and the ways to find them. All of it is derived from the rows and rebuilt on restore; no map
 * here is iterated where order could matter.
 */
export class LiveSessions {
  readonly workers = new Workers()
  private readonly byIndex = new Map<number, SessionRecord>()
  private readonly bySecret = new Map<string, SessionRecord>()
  /** One session as it is, several as a list in session order: most principals have one, and there may be a million. */
  private readonly byPrincipal = new Map<string, SessionRecord | SessionRecord[]>()
  private readonly indexes = new IndexList()
  private readonly timeouts = new Map<Millis, number>()
  private shortest: Millis | null = null

  get size(): number {
    return this.byIndex.size
  }

  /** The live session with that index, whatever its group and incarnation. */
  at(index: number): SessionRecord | null {
    return this.byIndex.get(index) ?? null
  }

  /** The live session with exactly these numbers. */
  find(numbers: SessionNumbers): SessionRecord | null {
    const session = this.byIndex.get(numbers.index)
    if (session === undefined) return null
    const { row } = session
    return row.incarnation === numbers.incarnation && row.group === numbers.group ? session : null
  }

  findById(id: SessionId): SessionRecord | null {
    const numbers = parseSessionId(id)
    return numbers === null ? null : this.find(numbers)
  }

  findBySecret(secret: string): SessionRecord | null {
    return this.bySecret.get(secret) ?? null
  }

  /** The live session of a principal, or several in session order. */
  ofPrincipal(principal: string): SessionRecord | SessionRecord[] | null {
    return this.byPrincipal.get(principal) ?? null
  }

  /** Principals with a live session whose name starts with `prefix`, in no particular order. */
  principals(prefix: string): string[] {
    return [...this.byPrincipal.keys()].filter((principal) => principal.startsWith(prefix))
  }

  /** Timeout of the live session that has the shortest; null without sessions. */
  shortestTimeout(): Millis | null {
    if (this.shortest === null) for (const timeout of this.timeouts.keys()) this.shorten(timeout)
    return this.shortest
  }

  /** At most `limit` sessions with an index above `index`, rising. */
  after(index: number, limit: number): SessionRecord[] {
    const found: SessionRecord[] = []
    for (const next of this.indexes.after(index, this.byIndex)) {
      if (found.length >= limit) break
      found.push(this.byIndex.get(next) as SessionRecord) // one of its keys
    }
    return found
  }

  all(): Iterable<SessionRecord> {
    return this.byIndex.values()
  }

  add(session: SessionRecord): void {
    const { row } = session
    this.byIndex.set(row.index, session)
    this.indexes.add(row.index)
    this.bySecret.set(row.secret, session)
    this.addPrincipal(row.info.principal, session)
    this.workers.add(session)
    this.timeouts.set(row.timeoutMs, (this.timeouts.get(row.timeoutMs) ?? 0) + 1)
    if (this.shortest !== null || this.timeouts.size === 1) this.shorten(row.timeoutMs)
  }

  remove(session: SessionRecord): void {
    const { row } = session
    this.byIndex.delete(row.index)
    this.bySecret.delete(row.secret)
    this.removePrincipal(row.info.principal, session)
    this.workers.remove(session)
    const left = (this.timeouts.get(row.timeoutMs) ?? 1) - 1
    if (left > 0) this.timeouts.set(row.timeoutMs, left)
    else this.timeouts.delete(row.timeoutMs)
    if (left === 0 && this.shortest === row.timeoutMs) this.shortest = null
  }

  private shorten(timeout: Millis): void {
    if (this.shortest === null || timeout < this.shortest) this.shortest = timeout
  }

  private addPrincipal(principal: string, session: SessionRecord): void {
    const found = this.byPrincipal.get(principal)
    if (found === undefined) this.byPrincipal.set(principal, session)
    else if (!Array.isArray(found)) this.byPrincipal.set(principal, [found, session].sort(byIndex))
    else {
      found.push(session)
      if (byIndex(found[found.length - 2] as SessionRecord, session) > 0) found.sort(byIndex)
    }
  }

  private removePrincipal(principal: string, session: SessionRecord): void {
    const found = this.byPrincipal.get(principal)
    if (!Array.isArray(found)) {
      this.byPrincipal.delete(principal)
      return
    }
    const left = found.filter((other) => other !== session)
    if (left.length > 1) this.byPrincipal.set(principal, left)
    else this.byPrincipal.set(principal, left[0] as SessionRecord)
  }
}

function byIndex(left: SessionRecord, right: SessionRecord): number {
  return left.row.index - right.row.index
}
