import { decodeValue } from '../../codec/value/decode.ts'
import type { Value } from '../../codec/value/value.ts'
import { askLeader } from './ask-leader.ts'
import { paged } from './paged.ts'

/** The node that answered, and as of which entry. */
export interface AnsweredBy {
  readonly node: string
  readonly term: number
  readonly appliedIndex: number
}

/** A live session. Times are ms. */
export interface SessionLine {
  /** group/incarnation/index. */
  readonly id: string
  /** Log index of the entry that opened it. */
  readonly openedIndex: number
  /** A client's connection holds it at the leader. */
  readonly attached: boolean
  readonly clientName: string
  readonly principal: string
  readonly roles: readonly string[]
  readonly capabilities: Value
  readonly timeoutMs: number
  /** Leader time until it expires if nothing is heard of it. */
  readonly expiresInMs: number
  /** Highest request id executed; 0: none. */
  readonly lastRequestId: number
  /** Server requests that it has not acknowledged, and their bytes. */
  readonly waiting: number
  readonly waitingBytes: number
}

/** A server request that a session has not acknowledged. Times are Unix ms. */
export interface WaitingRequest {
  readonly id: number
  readonly type: string
  readonly createdIndex: number
  readonly createdMs: number
  readonly attempt: number
  readonly attemptsMax: number
  /** 0: none. */
  readonly deadlineMs: number
  readonly bytes: number
  /** Undefined unless payloads were asked for. */
  readonly payload: Value | undefined
}

/** All that the leader knows of a session; of one that has ended, how and when. */
export interface SessionDetails {
  readonly by: AnsweredBy
  readonly session: SessionLine | null
  /** `expired` or `closed`; '': it lives. */
  readonly ended: string
  readonly endedMs: number
  /** An operator ended it, and why ('': not said). */
  readonly evicted: boolean
  readonly note: string
  readonly epoch: number
  readonly ordered: boolean
  readonly lowestPendingRequestId: number
  readonly cachedResponses: number
  readonly cachedBytes: number
  readonly lastServerRequestId: number
  readonly acknowledged: number
  readonly leasedTasks: number
  /** Unix ms; 0: none. */
  readonly nextRetryMs: number
  readonly waiting: readonly WaitingRequest[]
}

/** An entry of the kept log that names the session. */
export interface HistoryLine {
  readonly index: number
  readonly term: number
  readonly timeMs: number
  readonly kind: string
  readonly machine: string
  readonly command: string
  readonly requestId: number
  /** `ok`, `rejected`, `copy` (another entry executed the command), or '': not known (any more). */
  readonly outcome: string
  readonly code: string
  readonly executedIndex: number
  readonly acknowledged: number
  /** Undefined unless payloads were asked for, and for what is no command. */
  readonly input: Value | undefined
}

/** The history of a session as far as the log goes back. */
export interface SessionHistory {
  readonly by: AnsweredBy
  /** The log begins here. */
  readonly firstKeptIndex: number
  readonly entries: readonly HistoryLine[]
  /** There are more. */
  readonly more: boolean
}

const PAGE = 1000

/** At most `limit` live sessions, or those of them for which requests of a machine wait. Rejects with OperatorError. */
export async function fetchSessions(
  endpoints: readonly string[],
  { limit, machine = '' }: { readonly limit: number; readonly machine?: string },
): Promise<{ readonly sessions: readonly SessionLine[]; readonly more: boolean }> {
  const { items, more } = await paged({ limit, filtered: machine !== '' }, async (after: number | null, size) => {
    const request = { afterIndex: after ?? 0, limit: size, machine }
    const page = (await askLeader(endpoints, { method: 'Sessions', request })) as SessionsPage
    return { items: page.sessions.map(lineOf), next: page.nextAfterIndex === 0 ? null : page.nextAfterIndex }
  })
  return { sessions: items, more }
}

/** One session. Rejects with OperatorError: SESSION_UNKNOWN when nothing is known of that id. */
export async function fetchSession(
  endpoints: readonly string[],
  { id, payloads }: { readonly id: string; readonly payloads: boolean },
): Promise<SessionDetails> {
  const found = (await askLeader(endpoints, { method: 'Session', request: { id, payloads } })) as SessionFound
  return {
    ...found,
    session: found.session === null ? null : lineOf(found.session),
    waiting: found.waiting.map((request) => ({ ...request, payload: decoded(request.payload) })),
  }
}

/** How a session ended that an operator wanted to end. */
export interface Eviction {
  readonly by: AnsweredBy
  /** False: it had ended before. */
  readonly now: boolean
  readonly ended: 'expired' | 'closed'
  /** Unix ms of the log's clock. */
  readonly endedMs: number
}

/**
 * Ends a session as its expiry does; its client is told SESSION_EXPIRED. Safe to repeat. Rejects with OperatorError:
 * SESSION_UNKNOWN when nothing is known of that id.
 */
export async function evictSession(
  endpoints: readonly string[],
  { id, note }: { readonly id: string; readonly note: string },
): Promise<Eviction> {
  return (await askLeader(endpoints, { method: 'EvictSession', request: { id, note } })) as Eviction
}

/** Entries that name it, at most `limit` of them, from `fromIndex` on. Rejects as `fetchSession` does. */
export async function fetchSessionHistory(
  endpoints: readonly string[],
  asked: { readonly id: string; readonly fromIndex: number; readonly limit: number; readonly payloads: boolean },
): Promise<SessionHistory> {
  const { id, payloads, limit } = asked
  const entries: HistoryLine[] = []
  let { fromIndex } = asked
  for (;;) {
    const request = { id, payloads, fromIndex, limit: Math.min(PAGE, limit - entries.length) }
    const page = (await askLeader(endpoints, { method: 'SessionHistory', request })) as HistoryFound
    entries.push(...page.entries.map((entry) => ({ ...entry, input: decoded(entry.input) })))
    fromIndex = page.nextIndex
    if (fromIndex !== 0 && entries.length < limit) continue
    // An id that was never given looks like a session of which the log keeps nothing; the tables know better.
    if (entries.length === 0) await fetchSession(endpoints, { id, payloads: false })
    return { by: page.by, firstKeptIndex: page.firstKeptIndex, entries, more: fromIndex !== 0 }
  }
}

type Encoded<Line, Field extends keyof Line> = Omit<Line, Field> & { readonly [name in Field]: Uint8Array }

interface SessionsPage {
  readonly sessions: readonly Encoded<SessionLine, 'capabilities'>[]
  readonly nextAfterIndex: number
}

type SessionFound = Omit<SessionDetails, 'session' | 'waiting'> & {
  readonly session: Encoded<SessionLine, 'capabilities'> | null
  readonly waiting: readonly Encoded<WaitingRequest, 'payload'>[]
}

interface HistoryFound {
  readonly by: AnsweredBy
  readonly entries: readonly Encoded<HistoryLine, 'input'>[]
  readonly nextIndex: number
  readonly firstKeptIndex: number
}

const lineOf = (line: Encoded<SessionLine, 'capabilities'>): SessionLine => ({
  ...line,
  capabilities: decodeValue(line.capabilities),
})

/** What bytes of an answer hold; undefined: they were not asked for. */
export const decoded = (bytes: Uint8Array): Value | undefined => (bytes.length === 0 ? undefined : decodeValue(bytes))
