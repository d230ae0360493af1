import { type Millis, sessionId } from '../../base/brand.ts'
import type { OpenSessionPayload } from '../../codec/entry/payload.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { binaryString } from '../rows/binary-string.ts'
import { SessionRecord } from '../clients/session-record.ts'
import { sessionInfo, type SessionRow } from '../rows/session-rows.ts'
import { rowValue } from '../rows/dictionary.ts'
import type { MachineRunner } from '../run/machine-runner.ts'
import { flushMailbox } from '../run/notify.ts'
import { type Refused, refused } from './replies.ts'
import { foldOpening } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import { assignToRolesOf } from '../run/task-assignment.ts'
import type { Outcome } from '../user-machine.ts'
import type { Reply } from '../state-machine.ts'

/** How far ahead `validUntil` may lie (sessions.md §4): less than a tombstone stays, so that no late copy opens again. */
const VALID_UNTIL_AHEAD_MS_MAX = 5 * 60 * 1000

/** Bytes of a hashed secret. */
const SECRET_BYTES = 32

/**
 * OpenSession (sessions.md §4), idempotent by the hash of the client's secret. `onSessionCreated` may reject it: then
 * nothing is stored and nothing emitted. An existing session is not renewed: attaching does that.
 */
export function applyOpenSession(state: ReplicatedState, runner: MachineRunner, payload: OpenSessionPayload): Reply {
  const invalid = checkPayload(state, payload)
  if (invalid !== null) return invalid
  const secret = binaryString(payload.secretHash)
  const existing = state.sessions.findBySecret(secret)
  if (existing !== null) {
    if (!sameSession(existing.row, payload)) return refused('OPEN_CONFLICT')
    return { kind: 'opened', sessionId: existing.row.info.id, existing: true }
  }
  const refusal = checkOpening(state, payload, secret)
  if (refusal !== null) return refusal
  const session = newSession(state, payload, secret)
  const rejection = register(state, runner, session)
  if (rejection !== null) return refused('OPEN_REJECTED', rowValue(rejection))
  return { kind: 'opened', sessionId: session.row.info.id, existing: false }
}

/** True for a principal or role that no client may claim. */
function isReserved(name: string): boolean {
  return name === '' || name === 'system' || name.startsWith('system:')
}

function checkPayload({ codec }: ReplicatedState, payload: OpenSessionPayload): Refused | null {
  if (payload.secretHash.length !== SECRET_BYTES) return refused('INVALID', { reason: 'SECRET_HASH' })
  if (isReserved(payload.principal)) return refused('INVALID', { reason: 'PRINCIPAL' })
  if (payload.roles.some(isReserved)) return refused('INVALID', { reason: 'ROLES' })
  // They are kept in rows, dead letters and hook arguments: what a machine may not set, a client may not either.
  if (!isMachineValue(codec, payload.capabilities)) return refused('INVALID', { reason: 'CAPABILITIES' })
  return null
}

function isMachineValue(codec: SessionCodec, value: Value): boolean {
  try {
    codec.walk(value, { high: 0, low: 0 })
    return true
  } catch (error) {
    if (error instanceof ValueError) return false
    throw error
  }
}

function checkOpening(state: ReplicatedState, payload: OpenSessionPayload, secret: string): Refused | null {
  const tombstone = state.tombstones.findBySecret(secret)
  if (tombstone !== null) return refused('CLIENT_SESSION_CLOSED', { at: tombstone.at, reason: tombstone.reason })
  if (payload.validUntil < state.now)
    return refused('OPEN_TOO_LATE', { validUntil: payload.validUntil, now: state.now })
  if (payload.validUntil > state.now + VALID_UNTIL_AHEAD_MS_MAX)
    return refused('INVALID', { reason: 'VALID_UNTIL', now: state.now })
  const { sessionsMax } = state.limits
  if (state.sessions.size + state.tombstones.size >= sessionsMax)
    return refused('TOO_MANY_SESSIONS', { max: sessionsMax })
  return null
}

/** A repeated Open must ask for the same session; the name may differ, it is only shown. */
function sameSession(row: SessionRow, payload: OpenSessionPayload): boolean {
  const { info, terms } = row
  if (info.principal !== payload.principal) return false
  if (terms.askedTimeoutMs !== payload.timeoutMs || terms.ordered !== payload.ordered) return false
  return sameValue(info.roles, payload.roles) && sameValue(info.capabilities, payload.capabilities)
}

function newSession(state: ReplicatedState, payload: OpenSessionPayload, secret: string): SessionRecord {
  const { index, incarnation, group, limits } = state
  const { principal, roles, capabilities, name, timeoutMs, ordered } = payload
  const id = sessionId(group, incarnation, index)
  const info = sessionInfo({ id, principal, roles, capabilities, name })
  foldOpening(state, info)
  return new SessionRecord({
    info,
    terms: state.sessions.terms.of({
      group,
      incarnation,
      ordered,
      askedTimeoutMs: timeoutMs,
      timeoutMs: clamp(timeoutMs, limits.sessionTimeoutMinMs, limits.sessionTimeoutMaxMs),
    }),
    index,
    secret,
    renewedLease: state.lease,
    renewedAtIndex: index,
    epoch: 0,
    nonce: '',
    floor: 1,
    highest: 0,
    cachedBytes: 0,
    lastId: 0,
    acknowledged: 0,
    tailId: 0,
    outboxBytes: 0,
    resentAt: state.now,
  })
}

/** Registers the session, asks the machine, and on a rejection takes it out again. */
function register(state: ReplicatedState, runner: MachineRunner, session: SessionRecord): Outcome | null {
  state.sessions.add(session)
  const rejection = runner.runCreated(session, {
    accepted() {
      state.draft(session)
      state.expiry.add(session.row.index, session.row.renewedLease + session.row.terms.timeoutMs)
      state.principals.remember(session.row.info.principal)
      flushMailbox(state, session)
    },
    rejected() {
      if (!session.live) return
      session.live = false
      state.sessions.remove(session)
    },
  })
  if (rejection === null) assignToRolesOf(state, session)
  return rejection
}

function clamp(value: Millis, low: Millis, high: Millis): Millis {
  return Math.min(Math.max(value, low), high)
}

/** Deep equality of plain data; the order of an object's keys does not matter. */
function sameValue(left: Value, right: Value): boolean {
  if (left === right) return true
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false
  if (Array.isArray(left) !== Array.isArray(right)) return false
  if (left instanceof Uint8Array !== right instanceof Uint8Array) return false
  const a = left as { readonly [key: string]: Value }
  const b = right as { readonly [key: string]: Value }
  const keys = Object.keys(a)
  if (keys.length !== Object.keys(b).length) return false
  return keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key] as Value, b[key] as Value))
}
