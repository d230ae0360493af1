import { logIndex, type Millis, type Term } from '../../base/brand.ts'
import type { EntryHeader, EntryKind } from '../../codec/entry/entry.ts'
import type { ClientRequestPayload, SessionNumbers } from '../../codec/entry/payload.ts'
import { payloadAt, readHeader, recordLength } from '../../codec/entry/record.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { StateMachine } from '../../session/state-machine.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogStore } from '../ports/log-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import { entryFacts } from './entry-facts.ts'

/** Record bytes read and looked at before the event loop turns: a few thousand entries, some milliseconds. */
const READ_BYTES = 256 * 1024
/** Record bytes that one page looks at: with few entries of a session among many, it ends without having found any. */
const PAGE_BYTES_MAX = 8 * 1024 * 1024
/** Pages that are being read at once; one more is refused. */
const PAGES_MAX = 4

/** What is looked for: entries of a session (null: all entries) from an index on, at most `limit` of them. */
export interface HistoryRequest {
  readonly session: SessionNumbers | null
  readonly from: number
  readonly limit: number
}

/** An entry of the log that names the session. */
export interface HistoryEntry {
  readonly index: number
  readonly term: Term
  readonly now: Millis
  readonly kind: EntryKind
  /** Sessions that it names. */
  readonly sessions: readonly SessionNumbers[]
  /** Of a ClientRequest: what was asked; its input is a copy. Else null. */
  readonly request: ClientRequestPayload | null
  /** Of a ServerRequestAck: the id acknowledged. Else null. */
  readonly acknowledged: number | null
}

/** Some of the history, and where it goes on. */
export interface HistoryPage {
  readonly entries: readonly HistoryEntry[]
  /** Index from which to go on; null: all that is applied was looked at. */
  readonly next: number | null
  /** Lowest index that this node's log holds: what was before is in no log of it. */
  readonly firstKept: number
}

export interface HistoryParts {
  readonly log: Pick<LogStore, 'read' | 'firstIndex'>
  readonly clock: Pick<Clock, 'defer'>
  readonly codec: SessionCodec
  readonly machine: Pick<StateMachine, 'appliedIndex'>
  /** The node stops, and its log may be closed. */
  stopped(): boolean
}

/** Why there is no page. */
export type HistoryRefusal = 'OVERLOADED' | 'SHUTTING_DOWN'

type HistoryDone = (page: HistoryPage | HistoryRefusal) => void

/**
 * Looks through the kept log for the entries of one session: committed and applied ones, in bounded pieces between which the
 * node goes on. It reads what is on disk and changes nothing.
 */
export class SessionHistory {
  private readonly parts: HistoryParts
  private reading = 0

  constructor(parts: HistoryParts) {
    this.parts = parts
  }

  /** Lowest index that the log holds. */
  get firstKept(): number {
    return this.parts.log.firstIndex
  }

  /** Calls back once: with a page, or why there is none. */
  page(request: HistoryRequest, done: HistoryDone): void {
    const { log, machine } = this.parts
    if (this.reading >= PAGES_MAX) return done('OVERLOADED')
    this.reading += 1
    const ended: HistoryDone = (page) => {
      this.reading -= 1
      done(page)
    }
    // Nothing before the entry that opened it can name it.
    const first = Math.max(request.from, request.session?.index ?? 0, log.firstIndex)
    this.readOn({ request, found: [], next: first, last: machine.appliedIndex, bytes: 0 }, ended)
  }

  private readOn(page: OpenPage, done: HistoryDone): void {
    const { log, clock } = this.parts
    if (this.parts.stopped()) return done('SHUTTING_DOWN')
    if (page.next > page.last) return done(this.closed(page, null))
    if (page.found.length >= page.request.limit || page.bytes >= PAGE_BYTES_MAX)
      return done(this.closed(page, page.next))
    const range = { first: logIndex(page.next), last: logIndex(page.last), maxBytes: READ_BYTES }
    log.read(range, (fault: StorageFault | null, read) => {
      // The node ends by the fault itself, which the log has told it.
      if (fault !== null) return done('SHUTTING_DOWN')
      // Let go meanwhile: the history goes on where the log begins now.
      if (read.records.length === 0) page.next = Math.max(page.next + 1, log.firstIndex)
      else this.look(page, read.records)
      clock.defer(() => this.readOn(page, done))
    })
  }

  private look(page: OpenPage, records: Uint8Array): void {
    for (let offset = 0; offset < records.length; offset += recordLength(records, offset)) {
      if (page.found.length >= page.request.limit) return
      const header = readHeader(records, offset)
      const entry = entryOf(this.parts.codec, header, payloadAt(records, offset), page.request.session)
      if (entry !== null) page.found.push(entry)
      page.next = header.index + 1
      page.bytes += recordLength(records, offset)
    }
  }

  private closed({ found }: OpenPage, next: number | null): HistoryPage {
    return { entries: found, next, firstKept: this.parts.log.firstIndex }
  }
}

/** A page while it is read. */
interface OpenPage {
  readonly request: HistoryRequest
  readonly found: HistoryEntry[]
  next: number
  readonly last: number
  bytes: number
}

/** The entry as one of that session; null when it does not name it. */
function entryOf(
  codec: SessionCodec,
  { index, term, now, kind }: EntryHeader,
  payload: Uint8Array,
  session: SessionNumbers | null,
): HistoryEntry | null {
  const { sessions, request, acknowledged } = entryFacts(codec, kind, payload)
  const opens = kind === 'OpenSession' && index === session?.index
  if (session !== null && !opens && !sessions.some((named) => isOf(session, named))) return null
  const copied = request === null ? null : { ...request, input: new Uint8Array(request.input) }
  return { index, term, now, kind, sessions, request: copied, acknowledged }
}

function isOf(session: SessionNumbers, named: SessionNumbers): boolean {
  return named.index === session.index && named.incarnation === session.incarnation && named.group === session.group
}
