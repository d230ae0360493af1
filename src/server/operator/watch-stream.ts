import type { ServerWritableStream } from '@grpc/grpc-js'
import type { z } from 'zod'
import { sessionId } from '../../base/brand.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { RaftNode } from '../../node/api.ts'
import type { WatchedEntry } from '../../node/inspect/watch-feed.ts'
import type { ErrorScope } from '../../protocol/errors.ts'
import { statusObject } from '../grpc-error.ts'
import { PAGE_LINES_MAX, type watchRequest } from './operator-requests.ts'

/** Lines that may wait for their reader: some megabytes. */
const WAITING_LINES_MAX = 10_000

/**
 * One watcher. What is applied already comes first, page by page as it is taken; then each entry is taken down as it is
 * applied, and leaves with the others of its turn. The node never waits: a reader that lets too many lines pile up is cut off.
 */
export class WatchStream {
  private readonly node: RaftNode
  private readonly call: ServerWritableStream<unknown, unknown>
  private readonly request: z.infer<typeof watchRequest>
  private readonly ended: () => void
  private unwatch: () => void = () => undefined
  private waiting: object[] = []
  /** What is next once nothing waits for the reader any more. */
  private afterWriting: (() => void) | null = null
  private told = 0
  private writing = false
  private flushing = false
  private over = false

  constructor(
    { node }: SessionGateway,
    call: ServerWritableStream<unknown, unknown>,
    options: { readonly request: z.infer<typeof watchRequest>; ended(): void },
  ) {
    this.node = node
    this.call = call
    this.request = options.request
    this.ended = options.ended
    for (const event of ['cancelled', 'error', 'close']) call.on(event, () => this.end())
  }

  /** Begins, once; it may end at once. */
  begin(): void {
    // Also where nothing happens the reader learns that it is heard, and by whom.
    this.write([])
    if (this.request.sinceIndex === 0) this.follow()
    else this.catchUp(this.request.sinceIndex)
  }

  /** Ends it with a code, of scope `connection` where none is said. */
  fail(code: string, scope: ErrorScope = 'connection'): void {
    if (this.over) return
    this.end()
    this.call.emit('error', statusObject(scope, code))
  }

  /** The next page of what is applied already; with the last one nothing is missed, for both happen between two entries. */
  private catchUp(from: number): void {
    const { inspection, machine } = this.node
    inspection.history.page({ session: null, from, limit: PAGE_LINES_MAX }, (page) => {
      if (this.over) return
      if (page === 'OVERLOADED') return this.fail(page, 'operator')
      if (typeof page === 'string') return this.fail('NODE_STOPPED')
      // Of a page after the first, where a snapshot has taken the place of what it would begin with.
      if (from > this.request.sinceIndex && page.firstKept > from) return this.passedOver()
      for (const entry of page.entries) this.take({ ...entry, outcome: null, ms: null })
      const next = page.next ?? Math.max((page.entries.at(-1)?.index ?? from - 1) + 1, page.firstKept)
      if (page.next === null && next > machine.appliedIndex) return this.follow()
      this.whenWritten(() => this.catchUp(next))
    })
  }

  private follow(): void {
    if (this.over) return
    this.unwatch = this.node.inspection.feed.watch({
      entry: (entry) => this.take(entry),
      passedOver: () => this.passedOver(),
    })
  }

  /** What was taken down leaves first; then the reader learns that what comes next is not what follows. */
  private passedOver(): void {
    this.whenWritten(() => this.fail('ENTRIES_PASSED_OVER'))
  }

  private take(entry: WatchedEntry): void {
    const { machines, limit } = this.request
    if (this.over || (limit > 0 && this.told >= limit)) return
    if (machines.length > 0 && !machines.includes(entry.request?.machine ?? '')) return
    this.told += 1
    this.waiting.push(lineOf(this.node, entry))
    if (limit > 0 && this.told >= limit) this.unwatch()
    if (this.waiting.length > WAITING_LINES_MAX) return this.fail('SLOW_READER')
    if (this.flushing) return
    this.flushing = true
    setImmediate(() => {
      this.flushing = false
      this.flush()
    })
  }

  private flush(): void {
    if (this.over || this.writing) return
    const lines = this.waiting.splice(0, PAGE_LINES_MAX)
    if (lines.length > 0) this.write(lines)
    else if (this.request.limit > 0 && this.told >= this.request.limit) {
      this.end()
      this.call.end()
    } else this.afterWritten()
  }

  private write(lines: readonly object[]): void {
    this.writing = true
    const { id, inspection } = this.node
    this.call.write({ node: id, lines, firstKeptIndex: inspection.history.firstKept }, () => {
      this.writing = false
      this.flush()
    })
  }

  /** Runs when nothing waits for the reader any more, in place of what was to run then. */
  private whenWritten(done: () => void): void {
    this.afterWriting = done
    if (this.waiting.length === 0 && !this.writing) this.afterWritten()
  }

  private afterWritten(): void {
    const { afterWriting, over } = this
    this.afterWriting = null
    if (!over) afterWriting?.()
  }

  private end(): void {
    if (this.over) return
    this.over = true
    this.waiting = []
    this.unwatch()
    this.ended()
  }
}

function lineOf({ group, incarnation }: RaftNode, entry: WatchedEntry): object {
  const { index, term, now, kind, sessions, request, outcome, ms } = entry
  const named = kind === 'OpenSession' ? [{ group, incarnation, index }] : sessions
  const [first] = named
  return {
    index,
    term,
    timeMs: now,
    kind,
    session: first === undefined ? '' : sessionId(first.group, first.incarnation, first.index),
    sessions: named.length,
    machine: request?.machine ?? '',
    command: request?.command ?? '',
    requestId: request?.requestId ?? 0,
    outcome: outcome?.kind ?? '',
    code: outcome?.code ?? '',
    applyMs: ms ?? 0,
  }
}
