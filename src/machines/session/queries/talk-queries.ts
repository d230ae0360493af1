import { z } from 'zod'
import { query } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { STAGES } from '../../gates/facts/stages.ts'
import { visibleDialogue } from '../change/access.ts'
import { HISTORY_MAX, READINGS_MAX } from '../facts/dialogue-bounds.ts'
import { sid } from '../facts/fields.ts'
import { messageRow, readingRow } from '../facts/rows.ts'
import type { SessionQueryContext, SessionView } from '../facts/session-schema.ts'
import { pageOf } from '../rules/answer.ts'
import { trendOf } from '../rules/support.ts'

/** A person's own messages and readings (domain.md §1.7): there is no way to ask for anybody else's. */

const message = messageRow.extend({ seq: z.int(), stage: z.int() })

/**
 * The viewer's messages in the order of `seq`, behind `afterSeq`. Fewer than `limit` where they are long: the last page is an
 * empty one.
 */
export const history = query(
  {
    input: sid.extend({
      stage: z.int().min(0).max(4).optional(),
      afterSeq: z
        .int()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER - 1)
        .default(0),
      limit: z.int().min(1).max(HISTORY_MAX).default(50),
    }),
    output: z.array(message),
  },
  (view: SessionView, input, context: SessionQueryContext) => {
    const found = visibleDialogue(view, context, input.sid)
    if (isRejection(found)) return found
    const messages: z.output<typeof message>[] = []
    for (const stage of input.stage === undefined ? STAGES : [input.stage]) {
      const limit = input.limit - messages.length
      if (limit === 0) break
      const prefix = [input.sid, found.viewer, stage] as const
      const rows = view.messages.range({ prefix, from: [...prefix, input.afterSeq + 1], limit })
      messages.push(...rows.map(([[, , , seq], row]) => ({ seq, stage, ...row })))
    }
    return [...pageOf(messages).page]
  },
)

/** The viewer's latest readings, the oldest of them first, and where they go. */
export const emotions = query(
  {
    input: sid,
    output: z.object({ readings: z.array(readingRow), trend: z.enum(['RISING', 'FALLING', 'STEADY']).nullable() }),
  },
  (view: SessionView, input, context: SessionQueryContext) => {
    const found = visibleDialogue(view, context, input.sid)
    if (isRejection(found)) return found
    const rows = view.readings.range({ prefix: [input.sid, found.viewer], limit: READINGS_MAX, reverse: true })
    const latest = rows.map(([, reading]) => reading)
    return { readings: [...latest].reverse(), trend: trendOf(latest) }
  },
)
