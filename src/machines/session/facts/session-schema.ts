import { z } from 'zod'
import { MINUTE_MS, SECOND_MS } from '../../../base/time.ts'
import type { Context, QueryContext, TableViews } from '../../../machine/define/context.ts'
import { table, task } from '../../../machine/define/schema.ts'
import { auditRow, dialogueRow, messageRow, readingRow } from './rows.ts'
import { sessionEvents } from './session-events.ts'
import { DIALOGUE_TRANSITIONS } from './states.ts'

const millis = z.int().min(0)

const state = {
  dialogues: table(z.string(), dialogueRow),
  /** invitation → dialogue */
  invitations: table(z.string(), z.string()),
  /**
   * Who has an open dialogue with whom: [creator, `kind:ref` of the invitee], and from the acceptance on also the two people,
   * sorted. → dialogue
   */
  pairs: table(z.tuple([z.string(), z.string()]), z.string()),
  /** The same keys, for ever → relationship */
  relationships: table(z.tuple([z.string(), z.string()]), z.string()),
  /** [person, number of the dialogue] */
  dialoguesOf: table(z.tuple([z.string(), z.int()]), z.string()),
  /** [dialogue, reader, stage, seq]: nobody else can read it. A person's stage never falls, so this is the order of seq. */
  messages: table(z.tuple([z.string(), z.string(), z.int(), z.int()]), messageRow),
  /** [dialogue, person, number of the reading] */
  readings: table(z.tuple([z.string(), z.string(), z.int()]), readingRow),
  /** person → when a reading was recorded last, whatever the dialogue */
  recordedAt: table(z.string(), millis),
  /** [dialogue, statusSeq] */
  audit: table(z.tuple([z.string(), z.int()]), auditRow),
  /** Everybody whose client was ever here: whom one may invite as a person. → since */
  people: table(z.string(), millis),
  /**
   * `ses`, `inv`, `rel`, and `emo/<person>`: the last number of each. Readings are numbered per person, so that nobody sees
   * from a number what somebody else felt.
   */
  counters: table(z.string(), z.int()),
}

const none = z.object({})

/** The schema of the machine session: tables, errors, events, timers and tasks (domain.md §1). */
export const sessionSchema = {
  version: 1,
  state,
  errors: {
    INVITATION_NOT_SENT: none,
    INVITATION_EXPIRED: z.object({ expiresAt: millis.nullable() }),
    COOLING: z.object({ coolUntil: millis }),
    GATES_NOT_SATISFIED: z.object({ unsatisfied: z.array(z.string()) }),
    PARTNER_NOT_READY: z.object({ stage: z.int().nullable() }),
    AGREEMENT_NOT_CONFIRMED: none,
    SESSION_NOT_ACTIVE: z.object({ status: z.string() }),
  },
  events: sessionEvents.shapes,
  graphs: { session: DIALOGUE_TRANSITIONS },
  /** Each by the dialogue that is its key. */
  timers: {
    'creation-ttl': z.null(),
    'invite-expiry': z.null(),
    inactivity: z.null(),
    'pause-reminder': z.null(),
    'pause-max': z.null(),
  },
  tasks: {
    'invitation.deliver': task({
      role: 'delivery',
      leaseMs: MINUTE_MS,
      maxAttempts: 3,
      backoffMs: [60 * SECOND_MS, 300 * SECOND_MS],
      payload: z.object({
        invitationId: z.string(),
        kind: z.enum(['person', 'email', 'phone']),
        ref: z.string(),
        token: z.string(),
        inviterName: z.string(),
        expiresAt: millis,
      }),
      result: none,
    }),
  },
} as const

/** `ctx` in its commands, timers and tasks. */
export type SessionContext = Context<typeof sessionSchema>
/** The same in its queries. */
export type SessionQueryContext = QueryContext<typeof sessionSchema>
/** Its tables, as queries read them. */
export type SessionView = TableViews<typeof sessionSchema>
