import type { Millis } from '../base/brand.ts'
import type { Limits, SessionNumbers } from '../codec/payload.ts'
import type { ClientSession, OutboxRow } from './client-session.ts'
import { runDeadLetter } from './hooks.ts'
import type { MachineRunner } from './machine-runner.ts'
import { removeRequest, replaceRequest } from './outbox.ts'
import type { ReplicatedState } from './replicated-state.ts'

/**
 * RetryServerRequests: re-checks at apply what the leader's dirty read found due, bumps attempt and `lastSentAt`, and puts
 * the sessions on the delivery list: only this answer is acted upon (FR-025). What ran out of attempts or time moves to
 * the dead letters.
 */
export function applyRetryServerRequests(
  state: ReplicatedState,
  runner: MachineRunner,
  payload: { readonly sessions: readonly SessionNumbers[] },
): void {
  for (const named of payload.sessions) {
    const session = state.sessions.find(named)
    if (session !== null) retrySession(state, runner, session)
  }
}

/** Earliest `now` at which a request of this session is due for redelivery (or dead), or null. */
export function nextRetryOf(state: ReplicatedState, session: ClientSession): Millis | null {
  let earliest: Millis | null = null
  for (const request of session.outbox) {
    const due = dueAt(state, session, request)
    if (earliest === null || due < earliest) earliest = due
  }
  return earliest
}

function retrySession(state: ReplicatedState, runner: MachineRunner, session: ClientSession): void {
  const { codec, hash, now } = state
  const dead: OutboxRow[] = []
  for (const request of [...session.outbox]) {
    if (dueAt(state, session, request) > now) continue
    codec.foldNumber(hash, session.row.index)
    codec.foldNumber(hash, request.serverRequestId)
    if (isDead(request, now)) dead.push(request)
    else replaceRequest(state, session, { ...request, attempt: request.attempt + 1, lastSentAt: now })
    state.deliver(session)
  }
  for (const request of dead) bury(state, runner, session, request.serverRequestId)
}

function bury(state: ReplicatedState, runner: MachineRunner, session: ClientSession, id: number): void {
  // Read again: an earlier burial rewrote this one's previousId, and its hook may have removed it.
  const request = session.outbox[session.positionAfter(id) - 1]
  if (request === undefined || request.serverRequestId !== id) return
  removeRequest(state, session, request)
  const { now, limits } = state
  state.deadLetters.add({ target: session.row.info, request, at: now, until: now + limits.retentionMs })
  runDeadLetter(runner, session, request)
}

function isDead(request: OutboxRow, now: Millis): boolean {
  if (request.attempt >= request.attemptsMax) return true
  return request.deadlineAt !== null && request.deadlineAt <= now
}

/** End of the current wait for an ack; a deadline ends it early. */
function dueAt(state: ReplicatedState, session: ClientSession, request: OutboxRow): Millis {
  const sentAt = Math.max(request.lastSentAt, session.row.resentAt)
  const due = sentAt + ackTimeout(state.limits, session.row.index, request)
  return request.deadlineAt === null ? due : Math.min(due, Math.max(request.deadlineAt, sentAt))
}

/**
 * The wait for an ack of a request's current attempt: doubling from `ackTimeoutMs` to at most `ackTimeoutMaxMs`, ±20 %, so
 * that retries spread out; the spread depends on session, id and attempt alone.
 */
export function ackTimeout(
  limits: Limits,
  session: number,
  { serverRequestId, attempt }: { readonly serverRequestId: number; readonly attempt: number },
): Millis {
  const doubled = Math.min(limits.ackTimeoutMs * 2 ** Math.min(attempt - 1, 30), limits.ackTimeoutMaxMs)
  return Math.round(doubled * (0.8 + 0.4 * spread(session, serverRequestId, attempt)))
}

/** A number in [0, 1) that depends on its arguments alone: the finalizer of murmur3 over a mix of them. */
function spread(session: number, id: number, attempt: number): number {
  let word = (Math.imul(session | 0, 0x9e3779b1) ^ Math.imul(id | 0, 0x85ebca77) ^ Math.imul(attempt, 0xc2b2ae3d)) | 0
  word = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35)
  return ((word ^ (word >>> 16)) >>> 0) / 0x100000000
}
