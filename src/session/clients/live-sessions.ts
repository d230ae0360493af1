import { type Millis, parseSessionId, type SessionId } from '../../base/brand.ts'
import { hashOfNumber, hashOfText, KeyedTable } from '../../base/keyed-table.ts'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { IndexList } from './index-list.ts'
import type { SessionRecord } from './session-record.ts'
import { SharedTerms } from '../rows/session-rows.ts'
import { Workers } from './workers.ts'

/**
 * The live client sessions and the ways to find them. All of it is derived from the rows and rebuilt on restore; no map
 * here is iterated where order could matter.
 */
export class LiveSessions {
  readonly workers = new Workers()
  /** What sessions were opened under. */
  readonly terms = new SharedTerms()
  private readonly byIndex = new KeyedTable<number, SessionRecord>({
    keyOf: ({ row }) => row.index,
    hash: hashOfNumber,
  })
  private readonly bySecret = new KeyedTable<string, SessionRecord>({
    keyOf: ({ row }) => row.secret,
    hash: hashOfSecret,
  })
  /** One session as it is, several as a list in session order: most principals have one, and there may be a million. */
  private readonly byPrincipal = new KeyedTable<string, SessionRecord | SessionRecord[]>({
    keyOf: principalOf,
    hash: hashOfText,
  })
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
    const { incarnation, group } = session.row.terms
    return incarnation === numbers.incarnation && group === numbers.group ? session : null
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

  /** Those of one of the `SHARES` of them, from 0 on. */
  inShare(at: number): Iterable<SessionRecord> {
    return this.byIndex.valuesOf(at)
  }

  add(session: SessionRecord): void {
    const { row } = session
    this.byIndex.set(session)
    this.indexes.add(row.index, this.size)
    this.bySecret.set(session)
    this.addPrincipal(row.info.principal, session)
    this.workers.add(session)
    const { timeoutMs } = row.terms
    this.timeouts.set(timeoutMs, (this.timeouts.get(timeoutMs) ?? 0) + 1)
    if (this.shortest !== null || this.timeouts.size === 1) this.shorten(timeoutMs)
  }

  remove(session: SessionRecord): void {
    const { row } = session
    this.byIndex.delete(row.index)
    this.bySecret.delete(row.secret)
    this.removePrincipal(row.info.principal, session)
    this.workers.remove(session)
    const { timeoutMs } = row.terms
    const left = (this.timeouts.get(timeoutMs) ?? 1) - 1
    if (left > 0) this.timeouts.set(timeoutMs, left)
    else this.timeouts.delete(timeoutMs)
    if (left === 0 && this.shortest === timeoutMs) this.shortest = null
  }

  private shorten(timeout: Millis): void {
    if (this.shortest === null || timeout < this.shortest) this.shortest = timeout
  }

  private addPrincipal(principal: string, session: SessionRecord): void {
    const found = this.byPrincipal.get(principal)
    if (found === undefined) this.byPrincipal.set(session)
    else if (!Array.isArray(found)) this.byPrincipal.set([found, session].sort(byIndex))
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
    if (left.length > 1) this.byPrincipal.set(left)
    else this.byPrincipal.set(left[0] as SessionRecord)
  }
}

function principalOf(sessions: SessionRecord | SessionRecord[]): string {
  const session = Array.isArray(sessions) ? (sessions[0] as SessionRecord) : sessions // no list is empty
  return session.row.info.principal
}

/** Of a hash any bits will do. */
function hashOfSecret(secret: string): number {
  return (
    (secret.charCodeAt(0) << 24) | (secret.charCodeAt(1) << 16) | (secret.charCodeAt(2) << 8) | secret.charCodeAt(3)
  )
}

function byIndex(left: SessionRecord, right: SessionRecord): number {
  return left.row.index - right.row.index
}
