import { z } from 'zod'
import type { Context, QueryContext, TableViews } from '../../../machine/define/context.ts'
import type { MachineSchema } from '../../../machine/define/schema.ts'
import { table, task } from '../../../machine/define/schema.ts'
import { tablesOf, type TablesRef } from '../../../machine/define/tables-of.ts'
import { exchangeTables, type ExchangeView } from './exchange.ts'
import { category, duration, id, measure, needText, planText } from './fields.ts'
import {
  ANALYSIS_BACKOFF_MS,
  ANALYSIS_LEASE_MS,
  ANALYZED_MAX,
  EVIDENCE_MAX,
  NEEDS_ADDRESSED_MAX,
  SUGGESTIONS_MAX,
  SUGGEST_LEASE_MS,
  SYNTHESIZED_MAX,
  SYNTHESIZED_MIN,
} from './gates-bounds.ts'
import { gatesEvents } from './gates-events.ts'
import {
  agreementRow,
  boundaryRow,
  commonGroundRow,
  consentRow,
  dialogueRow,
  eventRow,
  needRow,
  personRow,
  refusalRow,
  requestRow,
  retrievalRow,
  stageRow,
  strategyRow,
} from './rows.ts'
import { PHASE_TRANSITIONS, STAGE_TRANSITIONS } from './stages.ts'

const none = z.object({})
const stage = z.int().min(0).max(4)
const pair = z.tuple([z.string(), z.string()])
const numbered = z.tuple([z.string(), z.int()])
const owned = z.tuple([z.string(), z.string(), z.int()])

const state = {
  /** [dialogue, person, stage] */
  stages: table(owned, stageRow),
  /** [dialogue, person] */
  people: table(pair, personRow),
  dialogues: table(z.string(), dialogueRow),
  /** [dialogue, owner, number of the event], and so on: what is one person's own lies under that person's name. */
  events: table(owned, eventRow),
  boundaries: table(owned, boundaryRow),
  needs: table(owned, needRow),
  requests: table(owned, requestRow),
  /** [dialogue, number of the item] */
  commonGround: table(numbered, commonGroundRow),
  /** [dialogue, number of the strategy] */
  strategies: table(numbered, strategyRow),
  /** [dialogue, number of the agreement] */
  agreements: table(numbered, agreementRow),
  /** [dialogue, number of the consent] */
  consents: table(numbered, consentRow),
  /** [dialogue, for whom, number] */
  retrievals: table(owned, retrievalRow),
  /** [by whom, number] */
  refusals: table(numbered, refusalRow),
  /** stage → how often something was asked for there that is not to be had */
  violations: table(z.int(), z.int()),
  /** Sessions of a person that are open now. → how many */
  online: table(z.string(), z.int()),
  /**
   * [whose, kind] → the last number. What is one person's own is numbered per person, and what belongs to both per
   * relationship: nobody sees from a number what somebody else did.
   */
  counters: table(pair, z.int()),
}

const sharedNeed = z.object({ consentId: id, user: z.string(), category, content: z.string() })
const strategy = z.object({
  description: planText,
  needsAddressed: z.array(id).max(NEEDS_ADDRESSED_MAX).optional(),
  duration: duration.optional(),
  measureOfSuccess: measure.optional(),
})

/** Of a worker that analyses; the last wait repeats. */
const analysis = { role: 'analysis', leaseMs: ANALYSIS_LEASE_MS, maxAttempts: 3, backoffMs: ANALYSIS_BACKOFF_MS }

/** The schema of the machine gates: tables, errors, events and tasks (domain.md §2). */
export const gatesSchema = {
  version: 1,
  state,
  errors: {
    WRONG_STAGE: z.object({ required: z.array(stage), actual: stage.nullable() }),
    DRAFT_LOCKED: none,
    PHASE_CLOSED: z.object({ phase: z.string() }),
    NO_STRATEGIES: none,
    INVALID_STAGE_TRANSITION: z.object({ from: z.int(), to: z.int(), actual: stage.nullable() }),
    GATES_NOT_SATISFIED: z.object({ unsatisfied: z.array(z.string()) }),
    PARTNER_NOT_READY: z.object({ stage: stage.nullable() }),
    SESSION_NOT_ACTIVE: z.object({ status: z.string() }),
  },
  events: gatesEvents.shapes,
  graphs: { stage: STAGE_TRANSITIONS, phase: PHASE_TRANSITIONS },
  tasks: {
    'needs.synthesize': task({
      ...analysis,
      payload: z.object({
        sid: id,
        user: z.string(),
        events: z.array(z.string()),
        boundaries: z.array(z.string()),
        messages: z.array(z.string()),
      }),
      result: z.object({
        needs: z
          .array(
            z.object({
              need: needText,
              category,
              description: needText,
              evidence: z.array(z.string().trim().min(1).max(200)).min(1).max(EVIDENCE_MAX),
              confidence: z.int().min(0).max(100),
            }),
          )
          .min(SYNTHESIZED_MIN)
          .max(SYNTHESIZED_MAX),
      }),
    }),
    'common_ground.analyze': task({
      ...analysis,
      payload: z.object({ sid: id, needs: z.array(sharedNeed) }),
      result: z.object({
        items: z
          .array(z.object({ need: needText, category, description: needText, sourceNeedA: id, sourceNeedB: id }))
          .max(ANALYZED_MAX),
      }),
    }),
    'strategies.suggest': task({
      role: 'analysis',
      leaseMs: SUGGEST_LEASE_MS,
      maxAttempts: 2,
      backoffMs: ANALYSIS_BACKOFF_MS.slice(0, 1),
      payload: z.object({
        sid: id,
        count: z.int().min(1).max(SUGGESTIONS_MAX),
        commonGround: z.array(z.object({ id, need: z.string(), category, description: z.string() })),
        library: z.array(z.object({ id, category, description: z.string() })),
      }),
      result: z.object({ strategies: z.array(strategy).max(SUGGESTIONS_MAX) }),
    }),
  },
} as const

/** Reads its tables: `ctx.read(gatesTables)`. */
export const gatesTables = tablesOf('gates', gatesSchema)
/** Its tables, to be read. */
export type GatesView = TableViews<typeof gatesSchema>
/** `ctx` in its commands, listeners and tasks. */
export type GatesContext = Context<typeof gatesSchema>
/** The same in its queries. */
export type GatesQueryContext = QueryContext<typeof gatesSchema>

/** Whatever can read tables of several machines: the context of any handler or query. */
export interface TableReader {
  read<Other extends MachineSchema>(tables: TablesRef<Other>): TableViews<Other>
}

/** What the keys of gates are computed from, as any machine reads it. */
export const factTables = (reader: TableReader): { readonly gates: GatesView; readonly exchange: ExchangeView } => ({
  gates: reader.read(gatesTables),
  exchange: reader.read(exchangeTables),
})
