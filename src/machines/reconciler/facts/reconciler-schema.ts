import { z } from 'zod'
import type { Context, QueryContext, TableViews } from '../../../machine/define/context.ts'
import { table, task } from '../../../machine/define/schema.ts'
import { analysis, id, suggestedContent } from './fields.ts'
import { ANALYSIS_BACKOFF_MS, ANALYSIS_LEASE_MS } from './reconciler-bounds.ts'
import { reconcilerEvents } from './reconciler-events.ts'
import { attemptRow, auditRow, directionRow, exchangeRow, resultRow, validationRow } from './rows.ts'
import { EMPATHY_TRANSITIONS } from './states.ts'

const none = z.object({})
const pair = z.tuple([z.string(), z.string()])
const numbered = z.tuple([z.string(), z.string(), z.int()])
const direction = z.object({ sid: id, guesser: z.string() })
const stage = z.int().min(0).max(4)
const words = z.array(z.object({ seq: z.int(), text: z.string() }))

const state = {
  /** [dialogue, guesser] */
  attempts: table(pair, attemptRow),
  /** [dialogue, guesser] */
  directions: table(pair, directionRow),
  exchanges: table(z.string(), exchangeRow),
  /** [dialogue, guesser, number]: results by iteration, validations in their order */
  results: table(numbered, resultRow),
  validations: table(numbered, validationRow),
  /** [dialogue, reader, number]: each has the steps that this person is shown, numbered without a gap. */
  audit: table(numbered, auditRow),
  /** `att`, `off`, `res`: the last number of each */
  counters: table(z.string(), z.int()),
}

/** The schema of the machine reconciler: tables, errors, events, timers and tasks (domain.md §4). */
export const reconcilerSchema = {
  version: 1,
  state,
  errors: {
    WRONG_STAGE: z.object({ required: z.array(stage), actual: stage }),
    SESSION_NOT_ACTIVE: z.object({ status: z.string() }),
    DRAFT_NOT_READY: none,
    OFFER_NOT_PENDING: none,
    IDENTICAL_RESUBMISSION: none,
    CONSENT_REQUIRED: none,
    NOT_REVEALED: none,
    AWAITING_REVISION: none,
  },
  events: reconcilerEvents.shapes,
  graphs: { empathy: EMPATHY_TRANSITIONS },
  /** Each by dialogue and guesser; none is armed while the dialogue is paused. */
  timers: { 'offer-expiry': direction, 'validation-reminder': direction },
  tasks: {
    'reconciler.analyze': task({
      role: 'analysis',
      leaseMs: ANALYSIS_LEASE_MS,
      maxAttempts: 3,
      backoffMs: ANALYSIS_BACKOFF_MS,
      /** The one place where both sides lie beside each other. */
      payload: direction.extend({
        subject: z.string(),
        iteration: z.int().min(1),
        statement: z.string(),
        subjectStage1: words,
        subjectStage2: words.optional(),
      }),
      result: analysis,
    }),
    'share.refine': task({
      role: 'analysis',
      leaseMs: ANALYSIS_LEASE_MS,
      maxAttempts: 2,
      backoffMs: ANALYSIS_BACKOFF_MS.slice(0, 1),
      payload: direction.extend({
        subject: z.string(),
        offerId: z.string(),
        content: z.string(),
        instruction: z.string(),
      }),
      result: z.object({ content: suggestedContent }),
    }),
  },
} as const

/** Its tables, to be read. */
export type ReconcilerView = TableViews<typeof reconcilerSchema>
/** `ctx` in its commands, listeners, timers and tasks. */
export type ReconcilerContext = Context<typeof reconcilerSchema>
/** The same in its queries. */
export type ReconcilerQueryContext = QueryContext<typeof reconcilerSchema>
