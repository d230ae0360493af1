import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isAdmin } from '../change/access.ts'
import {
  type AuditGroup,
  type AuditRecord,
  FIRST_HASH,
  parseAuditGroup,
  recordsOf,
  rejectedRecord,
} from '../change/audit.ts'
import { PAGE_MAX, REJECTED_RING } from '../facts/payment-bounds.ts'
import { findVisible } from './booking-queries.ts'
import { discreetRecord } from './discretion.ts'
import { AUDIT_ENTITIES } from '../facts/rows.ts'
import { id, millis } from '../facts/fields.ts'
import type { PaymentsQueryContext, PaymentsView } from '../facts/payments-schema.ts'

const auditRecord = z.object({
  seq: z.int(),
  at: millis,
  bookingId: z.string().nullable(),
  group: z.int(),
  entity: z.enum(AUDIT_ENTITIES),
  action: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  by: z.string(),
  reason: z.string().nullable(),
  ref: z.string().nullable(),
  outcome: z.enum(['applied', 'rejected']),
  code: z.string().nullable(),
  /** Null for client and therapist, as what was left out for them could be guessed by its hash. */
  prevHash: z.string().nullable(),
  hash: z.string().nullable(),
})

/**
 * The audit trail in order of seq, whole groups, from the group at or after `from`. Administrators see everything;
 * client and therapist the trail of their own booking without receipts and notes, and of its rejected records those that they
 * caused. `next` is where to go on.
 */
export const audit = query(
  {
    input: z.object({
      id: id.optional(),
      from: z.int().min(1).default(1),
      limit: z.int().min(1).max(PAGE_MAX).default(PAGE_MAX),
      outcome: z.enum(['applied', 'rejected']).default('applied'),
    }),
    output: z.object({ records: z.array(auditRecord), next: z.int().nullable() }),
  },
  (view: PaymentsView, input, context: PaymentsQueryContext) => {
    const asker = context.session?.principal
    if (asker === undefined) return context.reject('UNAUTHENTICATED')
    if (input.id === undefined && !isAdmin(asker)) return context.reject('FORBIDDEN')
    const found = input.id === undefined ? null : findVisible(view, context, input.id)
    if (isRejection(found)) return found
    const page = { bookingId: input.id ?? null, from: input.from, limit: input.limit }
    const all = isAdmin(asker)
    const { records, next } =
      input.outcome === 'applied' ? appliedPage(view, page) : rejectedPage(view, page, all ? null : asker)
    return { records: all ? records : records.map((record) => discreetRecord(record, asker)), next }
  },
)

interface Page {
  readonly bookingId: string | null
  readonly from: number
  readonly limit: number
}

function appliedPage(view: PaymentsView, { bookingId, from, limit }: Page) {
  const groups = bookingId === null ? groupsOfAll(view, from, limit) : groupsOf(view, bookingId, from).slice(0, limit)
  const last = groups.at(-1)
  const records = groups.flatMap(({ group, row }) => recordsOf(group, row, hashBefore(view, group)))
  return { records, next: last === undefined || groups.length < limit ? null : last.group + 1 }
}

/** Hash of the record before a group: the last of the group before it. */
function hashBefore(view: PaymentsView, group: number): string {
  const [previous] = view.audit.range({ to: group, limit: 1, reverse: true })
  const last = previous === undefined ? undefined : parseAuditGroup(previous[1]).steps.at(-1)
  return last === undefined ? FIRST_HASH : last[5]
}

interface Group {
  readonly group: number
  readonly row: AuditGroup
}

function groupsOfAll(view: PaymentsView, from: number, limit: number): Group[] {
  return view.audit.range({ from, limit }).map(([group, text]) => ({ group, row: parseAuditGroup(text) }))
}

/** The groups of a booking from `from` on: found from its last one back, oldest first. */
function groupsOf(view: PaymentsView, bookingId: string, from: number): Group[] {
  const groups: Group[] = []
  let group = view.bookings.get(bookingId)?.auditGroup ?? 0
  while (group >= from) {
    const text = view.audit.get(group)
    if (text === undefined) break
    const row = parseAuditGroup(text)
    groups.push({ group, row })
    group = row.prevGroup
  }
  return groups.reverse()
}

/** The ring is small: all of it is read, put in order and filtered. */
function rejectedPage(view: PaymentsView, { bookingId, from, limit }: Page, by: string | null) {
  const all: AuditRecord[] = view.auditRejected
    .range({ limit: REJECTED_RING })
    .map(([, row]) => ({ ...rejectedRecord(row), hash: row.hash }))
    .filter((record) => record.seq >= from)
    .filter((record) => (bookingId === null || record.bookingId === bookingId) && (by === null || record.by === by))
    .sort((left, right) => left.seq - right.seq)
  const records = all.slice(0, limit)
  const last = records.at(-1)
  return { records, next: last === undefined || all.length <= limit ? null : last.seq + 1 }
}
