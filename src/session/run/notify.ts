import type { Value } from '../../codec/value/value.ts'
import type { SessionRecord } from '../clients/session-record.ts'
import { appendRequest, REQUEST_OVERHEAD_BYTES } from '../clients/outbox.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'

/** Server request type of notifications. */
const NOTIFICATION = 'notification'
/** Notification topic of alerts, to every admin principal known. */
const ALERT_TOPIC = 'admin.alert'
const ADMIN_PREFIX = 'admin:'

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

/** Counts an alert and tells every admin principal known; `bytes` is the size of the details, from their walk. */
export function raiseAlert(state: ReplicatedState, alert: string, details: Value, bytes: number): void {
  state.alerts.raise(alert, { index: state.index, now: state.now })
  const body = Object.freeze({ kind: alert, details })
  for (const principal of principalsKnown(state, ADMIN_PREFIX)) {
    notify(state, { kind: 'notify', principal, topic: ALERT_TOPIC, body, bytes: bytes + alert.length })
  }
}

/** Sorted; those remembered and those with a live session. */
export function principalsKnown(state: ReplicatedState, prefix: string): string[] {
  return [...new Set([...state.principals.known(prefix), ...state.sessions.principals(prefix)])].sort()
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
