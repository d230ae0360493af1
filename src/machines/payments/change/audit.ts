import type { Table } from '../../../machine/define/tables.ts'
import type { AUDIT_ENTITIES } from '../facts/rows.ts'
import { REJECTED_RING } from '../facts/payment-bounds.ts'

/**
 * The audit trail (domain.md §3.1): two hash chains, one of everything applied, complete, and one of the last 1,000
 * refusals. The hash of a record is SHA-256 over its canonical text: JSON of all its fields but `hash`, `prevHash`
 * included, keys sorted.
 */

/** What a record is about. */
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

/** The hash before the first record of a chain. */
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

/** The hash of a record, 64 hex digits. */
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

/** One row of the table `audit`, whose text is the JSON of `[action, at, bookingId, by, prevGroup, ...steps]`. */
export interface AuditGroup extends AuditHead {
  readonly at: number
  /** The booking's group before this one; 0 for its first. The booking knows its last. */
  readonly prevGroup: number
  readonly steps: readonly AuditColumns[]
}

/** Entity, from, to, reason, ref, hash. */
type AuditColumns = readonly [AuditEntity, string | null, string | null, string | null, string | null, string]

/**
 * The row of the group that begins at seq `group`, and the hash of its last record: the steps of one command, at least one,
 * after the record whose hash is `prevHash`. Groups are linked per booking, so that there is no index to write.
 *
 * PERF: one SHA-256 per step over `canonicalRecord` of its record, written out here because the steps share most of it.
 */
export function auditGroupText(
  group: number,
  head: Omit<AuditGroup, 'steps'> & { readonly prevHash: string },
  steps: readonly AuditStep[],
  hasher: { hashHex(text: string): string },
): { readonly text: string; readonly hash: string } {
  const { at, prevGroup } = head
  const [action, bookingId, by] = [quote(head.action), quote(head.bookingId), quote(head.by)]
  const shared = `{"action":${action},"at":${at},"bookingId":${bookingId},"by":${by}`
  const middle = `,"group":${group},"outcome":"applied","prevHash":"`
  let text = `[${action},${at},${bookingId},${by},${prevGroup}`
  let hash = head.prevHash
  let seq = group
  for (const { entity, from, to, reason = null, ref = null } of steps) {
    const { opening, closing, columns } = stepTexts(entity, from, to)
    const quotedReason = quote(reason)
    const quotedRef = quote(ref)
    hash = hasher.hashHex(
      `${shared}${opening}${middle}${hash}","reason":${quotedReason},"ref":${quotedRef},"seq":${seq}${closing}`,
    )
    text = `${text}${columns}${quotedReason},${quotedRef},"${hash}"]`
    seq += 1
  }
  return { text: `${text}]`, hash }
}

/** The inverse: what a row says. */
export function parseAuditGroup(text: string): AuditGroup {
  // Only `auditGroupText` writes rows of that table.
  const [action, at, bookingId, by, prevGroup, ...steps] = JSON.parse(text) as [
    string,
    number,
    string | null,
    string,
    number,
    ...AuditColumns[],
  ]
  return { action, at, bookingId, by, prevGroup, steps }
}

/** What the names in a step make of its texts. */
interface StepTexts {
  readonly opening: string
  readonly closing: string
  readonly columns: string
}

function stepTexts(entity: AuditEntity, from: string | null, to: string | null): StepTexts {
  const known = STEP_TEXTS.get(entity)?.get(from)?.get(to)
  return known ?? makeStepTexts(entity, from, to)
}

/** Names of entities, states and results need no escape. */
function makeStepTexts(entity: AuditEntity, from: string | null, to: string | null): StepTexts {
  const [quotedFrom, quotedTo] = [JSON.stringify(from), JSON.stringify(to)]
  const texts = {
    opening: `,"code":null,"entity":"${entity}","from":${quotedFrom}`,
    closing: `,"to":${quotedTo}}`,
    columns: `,["${entity}",${quotedFrom},${quotedTo},`,
  }
  const ofEntity = STEP_TEXTS.get(entity) ?? new Map<string | null, Map<string | null, StepTexts>>()
  STEP_TEXTS.set(entity, ofEntity.set(from, (ofEntity.get(from) ?? new Map()).set(to, texts)))
  return texts
}

/** By entity, from and to. PERF: a few dozen are ever needed, and putting them together again takes a fifth of the row. */
const STEP_TEXTS = new Map<AuditEntity, Map<string | null, Map<string | null, StepTexts>>>()

/** What a refusal leaves behind. */
export interface RejectedStep extends AuditHead {
  readonly entity: AuditEntity
  readonly from: string | null
  readonly to: string | null
  readonly ref: string | null
  readonly code: string
}

/** What of `ctx` the rejected chain needs: every version of the machine has it. */
interface RejectedChain {
  readonly now: number
  readonly state: {
    readonly chains: Table<string, { readonly seq: number; readonly hash: string }>
    readonly auditRejected: Table<number, RejectedRow & { readonly hash: string }>
  }
  hashHex(text: string): string
}

/** Appends to the ring of rejected records; of a rejected command, after its rollback (`ctx.afterReject`). */
export function appendRejected(ctx: RejectedChain, step: RejectedStep): void {
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

/** The records of a group; `group` is its key, `before` the hash of the record before it. */
export function recordsOf(group: number, row: AuditGroup, before: string): AuditRecord[] {
  let prevHash = before
  return row.steps.map(([entity, from, to, reason, ref, hash], position) => {
    const { at, bookingId, action, by } = row
    const seq = group + position
    const record = { seq, at, bookingId, group, entity, action, from, to, by, reason, ref, code: null, prevHash, hash }
    prevHash = hash
    return { ...record, outcome: 'applied' as const }
  })
}
