import type { Millis } from '../../base/brand.ts'
import type { Limits, SessionNumbers } from '../../codec/entry/payload.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import type { OutboxRow } from '../rows/session-rows.ts'
import { runDeadLetter } from '../run/hooks.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import { removeRequest, replaceRequest } from '../clients/outbox.ts'
import { assignToRoomOf } from '../run/task-assignment.ts'
import { foldRetry } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY } from './replies.ts'

/** Server requests that one entry sends again, before it leaves the rest of the sessions it names to the next one. */
const RETRIES_PER_ENTRY = 4096

/** Server requests of one session that one entry sends again: as many as may be under way to a client at once. */
const RETRIES_PER_SESSION = 1024

/**
 * RetryServerRequests: re-checks at apply what the leader's dirty read found due, bumps attempt and `lastSentAt`, and puts
 * the sessions on the delivery list: only this answer is acted upon (FR-025). What ran out of attempts or time moves to
 * the dead letters. Sessions beyond the bound of one entry stay due, so that the leader names them again.
 */
export function applyRetryServerRequests(
  state: ReplicatedState,
  runner: MachineRunner,
  payload: { readonly sessions: readonly SessionNumbers[] },
): Reply {
  let retried = 0
  for (const named of payload.sessions) {
    if (retried >= RETRIES_PER_ENTRY) break
    const session = state.sessions.find(named)
    if (session !== null) retried += retrySession(state, runner, session)
  }
  return NO_REPLY
}

/** Earliest `now` at which a request of this session is due for redelivery (or dead), or null. O(1) as a rule. */
export function nextRetryOf(state: ReplicatedState, session: SessionRecord): Millis | null {
  const first = session.outbox[0]
  if (first === undefined) return null
  const due = dueAt(state, session, first)
  const deadline = session.nextDeadline()
  return deadline === null ? due : Math.min(due, deadline)
}

/**
 * A client handles its requests in order, so the first one decides: when its wait is over, it and everything behind it is
 * sent again in this entry, and it alone can run out of attempts. Then those behind it, which never had their turn, start
 * over. Returns the number of requests touched.
 */
function retrySession(state: ReplicatedState, runner: MachineRunner, session: SessionRecord): number {
  const { now } = state
  const first = session.outbox[0]
  if (first === undefined) return 0
  const again = dueAt(state, session, first) <= now
  const exhausted = again && first.attempt >= first.attemptsMax
  const dead: OutboxRow[] = []
  const waiting = [...session.outbox]
  let touched = 0
  for (let at = 0; at < waiting.length && touched < RETRIES_PER_SESSION; at += 1) {
    const request = waiting[at] as OutboxRow
    const late = request.deadlineAt !== null && request.deadlineAt <= now
    if (!again && !late) continue
    touched += 1
    foldRetry(state, session, request.serverRequestId)
    if (late || (exhausted && at === 0)) dead.push(request)
    else replaceRequest(state, session, { ...request, attempt: nextAttempt(request, exhausted), lastSentAt: now })
  }
  if (touched > 0) state.listForDelivery(session)
  for (const request of dead) bury(state, runner, session, request.serverRequestId)
  if (dead.length > 0) assignToRoomOf(state, session)
  return touched
}

/** Never the same as before: a change is what makes the leader send it again. */
function nextAttempt({ attempt }: OutboxRow, startsOver: boolean): number {
  return startsOver && attempt > 1 ? 1 : attempt + 1
}

function bury(state: ReplicatedState, runner: MachineRunner, session: SessionRecord, id: number): void {
  // Read again: an earlier burial rewrote this one's previousId, and its hook may have removed it.
  const request = session.outbox[session.positionAfter(id) - 1]
  if (request === undefined || request.serverRequestId !== id) return
  removeRequest(state, session, request)
  const { now, limits } = state
  state.deadLetters.add({ target: session.row.info, request, at: now, until: now + limits.retentionMs })
  runDeadLetter(runner, session, request)
}

/** End of the wait for an ack of a request's current attempt. */
function dueAt(state: ReplicatedState, session: SessionRecord, request: OutboxRow): Millis {
  const sentAt = Math.max(request.lastSentAt, session.row.resentAt)
  return sentAt + ackTimeout(state.limits, session.row.index, request.attempt)
}

/**
 * The wait for an ack of an attempt: doubling from `ackTimeoutMs` to at most `ackTimeoutMaxMs`, ±20 %, so that the
 * retries of many sessions spread out; the spread depends on session and attempt alone, because what waits in one session
 * is sent again together.
 */
export function ackTimeout(limits: Limits, session: number, attempt: number): Millis {
  const doubled = Math.min(limits.ackTimeoutMs * 2 ** Math.min(attempt - 1, 30), limits.ackTimeoutMaxMs)
  return Math.round(doubled * (0.8 + 0.4 * spread(session, attempt)))
}

/** A number in [0, 1) that depends on its arguments alone: the finalizer of murmur3 over a mix of them. */
function spread(session: number, attempt: number): number {
  let word = (Math.imul(session | 0, 0x9e3779b1) ^ Math.imul(attempt, 0xc2b2ae3d)) | 0
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return ((word ^ (word >>> 16)) >>> 0) / 0x100000000
}
