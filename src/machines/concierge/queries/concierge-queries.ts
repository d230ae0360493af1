import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { refusedViewer, visibleConversation } from '../change/access.ts'
import { placeOf } from '../change/place.ts'
import { registrationsOf } from '../change/registrations.ts'
import { AUDIT_PAGE_MAX } from '../facts/concierge-bounds.ts'
import type { ConciergeQueryContext, ConciergeView } from '../facts/concierge-schema.ts'
import { contractorId, conversation } from '../facts/fields.ts'
import { auditRow, conversationRow, registrationRow, stepRow } from '../facts/rows.ts'
import { AGENTS, CONCIERGE_STATES, PHASES } from '../facts/states.ts'
import { phaseOf } from '../rules/guards.ts'

/** What a contractor and administrators may ask (domain.md §5.5). */

const shown = conversationRow.omit({ history: true, pendingTurn: true }).extend({
  state: z.enum(CONCIERGE_STATES),
  currentAgent: z.enum(AGENTS).nullable(),
  eventId: z.string().nullable(),
  phase: z.enum(PHASES),
  /** The turn that waits for its answer. */
  pendingTurn: z.int().min(1).nullable(),
})

/** One conversation, its last answer with it. */
export const state = query(
  { input: conversation, output: shown },
  (view: ConciergeView, { id }, context: ConciergeQueryContext) => {
    const found = visibleConversation(view, context, id)
    if (isRejection(found)) return found
    const { history: _history, pendingTurn, ...rest } = found
    const { agent, ...place } = placeOf(view, id)
    const phase = phaseOf(registrationsOf({ state: view }, found.contractorId), { ...place, now: context.now })
    return { ...rest, ...place, currentAgent: agent, phase, pendingTurn: pendingTurn?.turn ?? null }
  },
)

/** Who answers; null in idle. */
export const currentAgent = query(
  { input: conversation, output: z.enum(AGENTS).nullable() },
  (view: ConciergeView, { id }, context: ConciergeQueryContext) => {
    const found = visibleConversation(view, context, id)
    return isRejection(found) ? found : placeOf(view, id).agent
  },
)

/** A contractor's registrations, by event; without one those of whoever asks. */
export const registrations = query(
  { input: z.object({ contractorId: contractorId.optional() }), output: z.array(registrationRow) },
  (view: ConciergeView, given, context: ConciergeQueryContext) => {
    const contractor = given.contractorId ?? context.session?.principal ?? ''
    const refusal = refusedViewer(context, contractor)
    return refusal ?? [...registrationsOf({ state: view }, contractor)]
  },
)

/** The latest steps of a conversation, the oldest of them first. */
export const history = query(
  { input: conversation, output: z.array(stepRow) },
  (view: ConciergeView, { id }, context: ConciergeQueryContext) => {
    const found = visibleConversation(view, context, id)
    return isRejection(found) ? found : found.history
  },
)

/** The changes of a contractor's registrations, in their order. */
export const audit = query(
  {
    input: z.object({
      contractorId,
      afterSeq: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER - 1)
        .default(0),
      limit: z.int().min(1).max(AUDIT_PAGE_MAX).default(AUDIT_PAGE_MAX),
    }),
    output: z.object({
      changes: z.array(auditRow.extend({ seq: z.int().min(1) })),
      nextAfterSeq: z.int().nullable(),
    }),
  },
  (view: ConciergeView, { contractorId: contractor, afterSeq, limit }, context: ConciergeQueryContext) => {
    const refusal = refusedViewer(context, contractor)
    if (refusal !== null) return refusal
    const rows = view.audit.range({ prefix: [contractor], from: [contractor, afterSeq + 1], limit })
    const changes = rows.map(([[, seq], row]) => ({ seq, ...row }))
    return { changes, nextAfterSeq: rows.length === limit ? (changes.at(-1)?.seq ?? null) : null }
  },
)
