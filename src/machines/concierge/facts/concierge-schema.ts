import { z } from 'zod'
import type { Context, QueryContext, TableViews } from '../../../machine/define/context.ts'
import { table, task } from '../../../machine/define/schema.ts'
import { chartGraphs } from '../../../machine/xstate/chart/chart-graph.ts'
import { chartEntities } from '../../../machine/xstate/chart-entities.ts'
import { conciergeChart } from '../rules/chart.ts'
import { AGENT_ATTEMPTS, AGENT_BACKOFF_MS, AGENT_LEASE_MS } from './concierge-bounds.ts'
import { reply } from './fields.ts'
import { auditRow, conversationRow, registrationRow } from './rows.ts'
import { AGENTS, PHASES, REGISTRATION_GRAPH } from './states.ts'

/** The conversations' charts: one entity each, in the table `entities`. */
export const charts = chartEntities(conciergeChart, { timeField: 'now' })

const pair = z.tuple([z.string(), z.string()])

const state = {
  /** The charts' own rows, by conversation */
  ...charts.schema.state,
  conversations: table(z.string(), conversationRow),
  /** [contractor, key] → conversation */
  conversationsOf: table(pair, z.string()),
  /** [contractor, event] */
  registrations: table(pair, registrationRow),
  /** [event, contractor] */
  attendees: table(pair, z.literal(true)),
  /** [contractor, number] */
  audit: table(z.tuple([z.string(), z.int()]), auditRow),
  /** `con`, and `audit/<contractor>`: the last number of each */
  counters: table(z.string(), z.int()),
}

/** One turn of an agent, in either role. */
const agentRun = {
  leaseMs: AGENT_LEASE_MS,
  maxAttempts: AGENT_ATTEMPTS,
  backoffMs: AGENT_BACKOFF_MS,
  payload: z.object({
    id: z.string(),
    turn: z.int().min(1),
    contractorId: z.string(),
    text: z.string(),
    agent: z.enum(AGENTS),
    eventId: z.string().nullable(),
    phase: z.enum(PHASES),
    /** The event agent did not answer. */
    fallback: z.boolean(),
  }),
  result: z.object({ reply }),
}

/** The schema of the machine concierge: tables, errors, timers and tasks (domain.md §5). */
export const conciergeSchema = {
  version: 1,
  logic: charts.schema.logic,
  state,
  errors: { TURN_IN_PROGRESS: z.object({ turn: z.int().min(1) }) },
  graphs: { ...chartGraphs('concierge', conciergeChart), registration: REGISTRATION_GRAPH },
  timers: {
    /** Boundaries and the idle time-out, which are delays of the chart */
    ...charts.schema.timers,
    /** By conversation */
    purge: z.null(),
    /** By contractor: an event of theirs has ended, and they were too many to be told at once */
    ended: z.null(),
  },
  tasks: {
    'agent.run.standard': task({ ...agentRun, role: 'agent:standard' }),
    'agent.run.event': task({ ...agentRun, role: 'agent:event' }),
  },
} as const

/** Its tables, to be read. */
export type ConciergeView = TableViews<typeof conciergeSchema>
/** `ctx` in its commands, timers and tasks. */
export type ConciergeContext = Context<typeof conciergeSchema>
/** The same in its queries. */
export type ConciergeQueryContext = QueryContext<typeof conciergeSchema>
