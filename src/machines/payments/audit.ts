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

/** Who did what: what all steps of one command share. */
export interface AuditHead {
  readonly bookingId: string | null
  readonly action: string
  readonly by: string
}

export const FIRST_HASH = '0'.repeat(64)

/** SHA-256 of a text's UTF-8, as 64 hex digits. */
export type Sha256Hex = (text: string) => string

/** The text that is hashed: exactly what `JSON.stringify` makes of the record with its keys sorted. */
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

export function hashRecord(record: Omit<AuditRecord, 'hash'>, sha256Hex: Sha256Hex): string {
  return sha256Hex(canonicalRecord(record))
}

/**
 * Checks a stretch of a chain: every hash fits its record, and each record names the hash before it. `prevHash` is
 * what the first one must name; without it any. Returns the seq of the first record that does not fit, or null.
 */
export function brokenAt(records: readonly AuditRecord[], sha256Hex: Sha256Hex, prevHash?: string): number | null {
  let expected = prevHash
  for (const record of records) {
    if (expected !== undefined && record.prevHash !== expected) return record.seq
    if (hashRecord(record, sha256Hex) !== record.hash) return record.seq
    expected = record.hash
  }
  return null
}

/** One row of the table `audit`: its JSON is what is stored. */
export interface AuditGroup extends AuditHead {
  readonly at: number
  /** The booking's group before this one; 0 for its first. The booking knows its last. */
  readonly prevGroup: number
  readonly prevHash: string
  /** Entity, from, to, reason, ref, hash. */
  readonly steps: readonly (readonly [
    AuditEntity,
    string | null,
    string | null,
    string | null,
    string | null,
    string,
  ])[]
}

/**
 * The row of the group that begins at seq `group`, and the hash of its last record: the steps of one command, at least one.
 * PERF: one SHA-256 per step over `canonicalRecord` of its record, written out here because the steps share most of it; the
 * same pieces make the row. Groups are linked per booking, so that there is no index to write.
 */
export function auditGroupText(
  group: number,
  head: Omit<AuditGroup, 'steps'>,
  steps: readonly AuditStep[],
  hasher: Pick<PaymentsContext, 'hashHex'>,
): { readonly text: string; readonly hash: string } {
  const { at, prevGroup, prevHash } = head
  const [action, bookingId, by] = [quote(head.action), quote(head.bookingId), quote(head.by)]
  const shared = `{"action":${action},"at":${at},"bookingId":${bookingId},"by":${by}`
  let hash = prevHash
  let seq = group
  let rows = ''
  for (const step of steps) {
    const { entity } = step
    const from = quoteName(step.from)
    const to = quoteName(step.to)
    const reason = quote(step.reason ?? null)
    const ref = quote(step.ref ?? null)
    hash = hasher.hashHex(
      `${shared},"code":null,"entity":"${entity}","from":${from},"group":${group},"outcome":"applied"` +
        `,"prevHash":"${hash}","reason":${reason},"ref":${ref},"seq":${seq},"to":${to}}`,
    )
    rows += `${seq === group ? '' : ','}["${entity}",${from},${to},${reason},${ref},"${hash}"]`
    seq += 1
  }
  return { text: `${shared},"prevGroup":${prevGroup},"prevHash":"${prevHash}","steps":[${rows}]}`, hash }
}

/** The inverse: what a row says. */
export function parseAuditGroup(text: string): AuditGroup {
  // Only `auditGroupText` writes rows of that table.
  return JSON.parse(text) as AuditGroup
}

/** Names of states and results need no escape. */
function quoteName(name: string | null): string {
  return name === null ? 'null' : `"${name}"`
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
  const hash = ctx.hashHex(canonicalRecord(rejectedRecord(row)))
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
