import type { AUDIT_ENTITIES } from './rows.ts'
import { REJECTED_RING } from './limits.ts'
import type { PaymentsContext } from './schema.ts'

/**
 * The audit trail (domain 3.1): two hash chains, one of everything applied, complete, and one of the last 1,000
 * refusals. The hash of a record is SHA-256 over its canonical text: JSON of all its fields but `hash`, `prevHash`
 * included, keys sorted.
 */

export type AuditEntity = (typeof AUDIT_ENTITIES)[number]

/** One record as it is read and hashed. */
export interface AuditRecord {
  /** From 1 in its chain, without gaps. */
  readonly seq: number
  readonly at: number
  readonly bookingId: string | null
  /** Seq of the first record of the same command. */
  readonly group: number
  readonly entity: AuditEntity
  /** Name of the command, task or timer. */
  readonly action: string
  readonly from: string | null
  readonly to: string | null
  readonly by: string
  readonly reason: string | null
  /** What it is about beside the booking: a transaction, attempt, refund or form. */
  readonly ref: string | null
  readonly outcome: 'applied' | 'rejected'
  readonly code: string | null
  /** Hash of the record before it in its chain; 64 zeros before the first. */
  readonly prevHash: string
  /** 64 hex digits. */
  readonly hash: string
}

/** What a command says of one step. */
export interface AuditStep {
  readonly entity: AuditEntity
  readonly from: string | null
  readonly to: string | null
  readonly reason?: string | null
  readonly ref?: string | null
}

/** What all steps of one command share. */
export interface AuditHead {
  readonly bookingId: string | null
  readonly action: string
  readonly by: string
}

export const FIRST_HASH = '0'.repeat(64)

export type Sha256 = (bytes: Uint8Array) => Uint8Array

const encoder = new TextEncoder()

/**
 * The text that is hashed: exactly what `JSON.stringify` makes of the record with its keys sorted. PERF: written out, it takes
 * half the time, and each callback needs three.
 */
export function canonicalRecord(record: Omit<AuditRecord, 'hash'>): string {
  const { action, at, bookingId, by, code, entity, from, group, outcome, prevHash, reason, ref, seq, to } = record
  return (
    `{"action":${quote(action)},"at":${at},"bookingId":${quote(bookingId)},"by":${quote(by)},"code":${quote(code)}` +
    `,"entity":${quote(entity)},"from":${quote(from)},"group":${group},"outcome":${quote(outcome)}` +
    `,"prevHash":${quote(prevHash)},"reason":${quote(reason)},"ref":${quote(ref)},"seq":${seq},"to":${quote(to)}}`
  )
}

/** Text that JSON writes as it is: printable ASCII but the quote and the backslash. */
const PLAIN = /^[ !#-[\]-~]*$/

function quote(text: string | null): string {
  if (text === null) return 'null'
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text)
}

export function hashRecord(record: Omit<AuditRecord, 'hash'>, sha256: Sha256): string {
  return hex(sha256(encoder.encode(canonicalRecord(record))))
}

/**
 * Checks a stretch of a chain: every hash fits its record, and each record names the hash before it. `prevHash` is
 * what the first one must name; without it any. Returns the seq of the first record that does not fit, or null.
 */
export function brokenAt(records: readonly AuditRecord[], sha256: Sha256, prevHash?: string): number | null {
  let expected = prevHash
  for (const record of records) {
    if (expected !== undefined && record.prevHash !== expected) return record.seq
    if (hashRecord(record, sha256) !== record.hash) return record.seq
    expected = record.hash
  }
  return null
}

/**
 * Appends the steps of one command, at least one, to the chain of applied records, and returns their group. `prevGroup` is
 * the booking's group before this one, 0 if there is none. PERF: one SHA-256 per step; groups are linked per booking, so
 * that there is no index to write.
 */
export function appendApplied(
  ctx: PaymentsContext,
  head: AuditHead & { readonly prevGroup: number },
  steps: readonly AuditStep[],
): number {
  const { seq, hash: prevHash } = ctx.state.chains.get('applied') ?? { seq: 0, hash: FIRST_HASH }
  const group = seq + 1
  const { bookingId, action, by } = head
  const at = ctx.now
  let hash = prevHash
  const rows = steps.map((step, position) => {
    const { entity, from, to, reason = null, ref = null } = step
    const seq = group + position
    // PERF: written out, because a spread of this size becomes a slow object: 20 µs more per callback.
    const record = {
      seq,
      at,
      bookingId,
      group,
      entity,
      action,
      from,
      to,
      by,
      reason,
      ref,
      outcome: 'applied',
      code: null,
      prevHash: hash,
    } as const
    hash = hashRecord(record, (bytes) => ctx.hash(bytes))
    return [entity, from, to, reason, ref, hash] as const
  })
  ctx.state.audit.set(group, { at, bookingId, action, by, prevGroup: head.prevGroup, prevHash, steps: rows })
  ctx.state.chains.set('applied', { seq: seq + steps.length, hash })
  return group
}

/** What a refusal leaves behind. */
export interface RejectedStep extends AuditHead {
  readonly entity: AuditEntity
  readonly from: string | null
  readonly to: string | null
  readonly ref: string | null
  readonly code: string
}

/** Appends to the ring of rejected records; of a rejected command, after its rollback (`ctx.afterReject`). */
export function appendRejected(ctx: PaymentsContext, step: RejectedStep): void {
  const { seq: last, hash: prevHash } = ctx.state.chains.get('rejected') ?? { seq: 0, hash: FIRST_HASH }
  const row = { seq: last + 1, at: ctx.now, ...step, prevHash }
  const hash = hashRecord(rejectedRecord(row), (bytes) => ctx.hash(bytes))
  ctx.state.auditRejected.set(row.seq % REJECTED_RING, { ...row, hash })
  ctx.state.chains.set('rejected', { seq: row.seq, hash })
}

type RejectedRow = RejectedStep & { readonly seq: number; readonly at: number; readonly prevHash: string }

/** A refused command is a group of its own. */
export function rejectedRecord(row: RejectedRow): Omit<AuditRecord, 'hash'> {
  const { seq, at, bookingId, entity, action, from, to, by, ref, code, prevHash } = row
  return {
    seq,
    at,
    bookingId,
    group: seq,
    entity,
    action,
    from,
    to,
    by,
    reason: null,
    ref,
    outcome: 'rejected',
    code,
    prevHash,
  }
}

/** One row of the table `audit` as it is stored. */
export interface AuditGroup extends AuditHead {
  readonly at: number
  readonly prevGroup: number
  readonly prevHash: string
  readonly steps: readonly (readonly [
    AuditEntity,
    string | null,
    string | null,
    string | null,
    string | null,
    string,
  ])[]
}

/** The records of a group; `group` is its key. */
export function recordsOf(group: number, row: AuditGroup): AuditRecord[] {
  let prevHash = row.prevHash
  return row.steps.map(([entity, from, to, reason, ref, hash], position) => {
    const { at, bookingId, action, by } = row
    const seq = group + position
    const record = { seq, at, bookingId, group, entity, action, from, to, by, reason, ref, code: null, prevHash, hash }
    prevHash = hash
    return { ...record, outcome: 'applied' as const }
  })
}

const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** PERF: one flat string; adding up digits would make a chain of 32 that everybody who reads it has to flatten. */
function hex(bytes: Uint8Array): string {
  const codes: number[] = []
  for (const byte of bytes) codes.push(DIGITS[byte >> 4] ?? 0, DIGITS[byte & 15] ?? 0)
  return String.fromCharCode(...codes)
}
