import { unreachable } from '../../base/assert.ts'
import type { LogIndex, Millis, Term } from '../../base/brand.ts'
import type { EntryHeader, EntryKind } from '../../codec/entry/entry.ts'
import type { ClientRequestPayload, SessionNumbers } from '../../codec/entry/payload.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Reply } from '../../session/state-machine.ts'
import { entryFacts } from './entry-facts.ts'

/** An applied entry, without what it carries. */
export interface WatchedEntry {
  readonly index: number
  readonly term: Term
  readonly now: Millis
  readonly kind: EntryKind
  /** Sessions that it names, or made. */
  readonly sessions: readonly SessionNumbers[]
  /** Of a command. */
  readonly request: Pick<ClientRequestPayload, 'machine' | 'command' | 'requestId'> | null
  /** What applying it answered; null: it was applied before anybody watched. */
  readonly outcome: WatchedOutcome | null
  /** What applying it took; null likewise. */
  readonly ms: number | null
}

/** `code`: of a rejection or refusal, else ''. */
export interface WatchedOutcome {
  readonly kind: 'none' | 'ok' | 'rejected' | 'replayed' | 'refused' | 'done'
  readonly code: string
}

interface Watcher {
  entry(entry: WatchedEntry): void
  /** An installed snapshot covers the entries up to that index: they are told of no more, and it ends here. */
  passedOver(upTo: LogIndex): void
}

/**
 * Whoever follows what this node applies, entry by entry, without a gap. PERF: while nobody does, an entry costs one
 * comparison; who watches is told in the middle of apply, so it may only take the entry down.
 */
export class WatchFeed {
  private readonly watchers = new Set<Watcher>()
  private readonly codec: SessionCodec

  constructor(codec: SessionCodec) {
    this.codec = codec
  }

  get watched(): boolean {
    return this.watchers.size > 0
  }

  /** Tells of every entry that is applied from now on, in order, until what it returns is called. */
  watch(watcher: Watcher): () => void {
    this.watchers.add(watcher)
    return () => this.watchers.delete(watcher)
  }

  /** The state is that of an installed snapshot from here on: whoever watches has missed what it covers. */
  passOver(upTo: LogIndex): void {
    const watchers = [...this.watchers]
    this.watchers.clear()
    for (const watcher of watchers) watcher.passedOver(upTo)
  }

  tell(header: EntryHeader, payload: Uint8Array, applied: { readonly reply: Reply; readonly ms: number }): void {
    const { index, term, now, kind } = header
    const { sessions, request } = entryFacts(this.codec, kind, payload)
    const entry = { index, term, now, kind, sessions, request, outcome: outcomeOf(applied.reply), ms: applied.ms }
    for (const watcher of this.watchers) watcher.entry(entry)
  }
}

function outcomeOf(reply: Reply): WatchedOutcome {
  switch (reply.kind) {
    case 'none':
      return { kind: 'none', code: '' }
    case 'outcome': {
      const code = reply.outcome.kind === 'reject' ? reply.outcome.code : ''
      if (reply.replayed) return { kind: 'replayed', code }
      return { kind: code === '' ? 'ok' : 'rejected', code }
    }
    case 'refused':
      return { kind: 'refused', code: reply.code }
    case 'opened':
    case 'attached':
    case 'acknowledged':
    case 'closed':
    case 'keptAlive':
    case 'moved':
    case 'scheduled':
    case 'forgotten':
      return { kind: 'done', code: '' }
    default:
      return unreachable(reply)
  }
}
