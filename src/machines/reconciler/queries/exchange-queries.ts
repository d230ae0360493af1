import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { viewedPlaceOf } from '../change/access.ts'
import { reducedStatus, shownExchange, statusOf } from '../change/shown.ts'
import { sid } from '../facts/fields.ts'
import { AUDIT_PAGE_MAX } from '../facts/reconciler-bounds.ts'
import type { ReconcilerQueryContext, ReconcilerView } from '../facts/reconciler-schema.ts'
import { type auditRow, TRIGGERS } from '../facts/rows.ts'
import { EMPATHY_STATUSES } from '../facts/states.ts'
import type { Parsed } from '../../../machine/define/schema.ts'

/** What a member may ask of the exchange (domain.md §4.4, §4.6). */

/** Both directions as the viewer may see them. */
export const status = query(
  { input: sid, output: shownExchange },
  (view: ReconcilerView, input, context: ReconcilerQueryContext) => {
    const place = viewedPlaceOf(context, input.sid)
    return isRejection(place) ? place : statusOf(context, view, place)
  },
)

const shownState = z.enum([...EMPATHY_STATUSES, 'IN_PROGRESS']).nullable()
const shownStep = z.object({
  seq: z.int(),
  at: z.int(),
  direction: z.enum(['mine', 'partner']),
  from: shownState,
  to: shownState,
  /** `offer-closed`: it was declined, or ran out; which of the two is the subject's own. */
  trigger: z.enum([...TRIGGERS, 'offer-closed']),
  by: z.string().nullable(),
})

/** The steps of the own direction; of the partner's those that can be seen, from the first reveal on. */
export const audit = query(
  {
    input: sid.extend({
      afterSeq: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER - 1)
        .default(0),
      limit: z.int().min(1).max(AUDIT_PAGE_MAX).default(AUDIT_PAGE_MAX),
    }),
    output: z.object({ steps: z.array(shownStep), nextAfterSeq: z.int().nullable() }),
  },
  (view: ReconcilerView, input, context: ReconcilerQueryContext) => {
    const place = viewedPlaceOf(context, input.sid)
    if (isRejection(place)) return place
    const prefix = [input.sid, place.user] as const
    const rows = view.audit.range({ prefix, from: [...prefix, input.afterSeq + 1], limit: input.limit })
    const steps = rows.map(([[, , seq], record]) => {
      const shown = record.guesser === place.user ? ownStep(record) : partnerStep(record)
      return { seq, at: record.at, ...shown }
    })
    return { steps, nextAfterSeq: steps.length === input.limit ? (steps.at(-1)?.seq ?? null) : null }
  },
)

type Record = Parsed<typeof auditRow>

function ownStep({ from, to, trigger, by }: Record) {
  const direction = 'mine' as const
  if (trigger === 'decline' || trigger === 'offer-expiry') {
    return { direction, from, to, trigger: 'offer-closed' as const, by: null }
  }
  return { direction, from, to, trigger, by }
}

/** As the status is shown that it leads from and to: only steps that can be told from it stand in the partner's record. */
const partnerStep = ({ from, to, trigger, by }: Record) => ({
  direction: 'partner' as const,
  from: reducedStatus(from),
  to: reducedStatus(to),
  trigger,
  by,
})
