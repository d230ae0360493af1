import type { Value } from '../../codec/value/value.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { appendRequest, REQUEST_OVERHEAD_BYTES } from '../clients/outbox.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'

/** Server request type of notifications. */
const NOTIFICATION = 'notification'

export interface Notification {
  readonly kind: 'notify'
  readonly principal: string
  readonly topic: string
  readonly body: Value
  /** Size of the body, from its walk. */
  readonly bytes: number
}

/**
 * One copy for every live session of the principal, in session order; without one the mailbox (domain.md §0.7). `seq`
 * counts per principal.
 */
export function notify(state: ReplicatedState, notification: Notification): void {
  const { principals, now, limits } = state
  const { principal, topic, body } = notification
  const seq = principals.nextSeq(principal, now + limits.retentionMs)
  const sessions = state.sessions.ofPrincipal(principal)
  if (sessions === null) {
    principals.post(principal, { topic, body, seq, at: now }, limits.mailboxMax)
    return
  }
  const payload = Object.freeze({ topic, body, seq })
  if (!Array.isArray(sessions)) append(state, sessions, payload, notification.bytes)
  else for (const session of sessions) append(state, session, payload, notification.bytes)
}

/** Hands what waited in the principal's mailbox to its new session, oldest first. */
export function flushMailbox(state: ReplicatedState, session: SessionRecord): void {
  for (const mail of state.principals.flush(session.row.info.principal)) {
    const payload = Object.freeze({ topic: mail.topic, body: mail.body, seq: mail.seq })
    append(state, session, payload, state.codec.walkRow(mail.body, { high: 0, low: 0 }))
  }
}

function append(state: ReplicatedState, session: SessionRecord, payload: Value, bytes: number): void {
  appendRequest(state, session, {
    type: NOTIFICATION,
    payload,
    bytes: bytes + NOTIFICATION.length + REQUEST_OVERHEAD_BYTES,
    overflow: 'dropOldest',
    key: null,
    attemptsMax: state.limits.attemptsMax,
    deadlineAt: null,
  })
}
