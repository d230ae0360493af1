import { z } from 'zod'
import { ID_LENGTH_MAX } from '../facts/gates-bounds.ts'
import { STAGES, type Stage } from '../facts/stages.ts'

/**
 * Retrieval contracts, layer 1 (domain.md §2.6): which queries may be made for a person's AI at which stage, as data. The
 * verdict follows from the query, the requester and that person's stage alone: a denial says nothing about what there is.
 */

const userId = z.string().min(1).max(ID_LENGTH_MAX)
const own = <Type extends string, Source extends string>(type: readonly Type[], source: readonly Source[]) =>
  z.strictObject({ type: z.enum(type), vessel: z.literal('user'), source: z.enum(source), userId })

/** Every legal query; what is not here cannot be asked for at all, at no stage and by nobody. */
const legalQuery = z.union([
  z.strictObject({ type: z.enum(['session_metadata', 'relationship_metadata']), source: z.literal('metadata') }),
  z.strictObject({ type: z.literal('session_outcomes'), source: z.literal('structured') }),
  own(['user_event', 'emotional_reading', 'need'], ['structured', 'vector', 'metadata']),
  own(['boundary'], ['structured']),
  z.strictObject({
    type: z.literal('consented_content'),
    vessel: z.literal('shared'),
    source: z.literal('structured'),
    consentActive: z.literal(true),
  }),
  z.strictObject({
    type: z.enum(['common_ground', 'agreement', 'micro_experiment']),
    vessel: z.literal('shared'),
    source: z.literal('structured'),
  }),
  z.strictObject({
    type: z.literal('experiment_suggestion'),
    vessel: z.literal('global'),
    source: z.literal('vector'),
  }),
])

/** A query that can be asked. */
export type RetrievalQuery = z.output<typeof legalQuery>
/** What becomes of one query. */
export type RetrievalVerdict = 'ALLOWED' | 'RETRIEVAL_DENIED' | 'INVALID_QUERY'

/** The 28 points with a letter for each stage, from the first on: `A` is allowed. */
const CONTRACTS: { readonly [point: string]: string } = {
  'session_metadata/metadata': 'AAA--',
  'relationship_metadata/metadata': 'AAA--',
  'session_outcomes/structured': 'A----',
  'user_event/structured/self': '-AA--',
  'user_event/structured/partner': '-----',
  'user_event/vector/self': '-AA--',
  'user_event/vector/partner': '-----',
  'user_event/metadata/self': '-AA--',
  'user_event/metadata/partner': '-----',
  'emotional_reading/structured/self': '-AA--',
  'emotional_reading/structured/partner': '-----',
  'emotional_reading/vector/self': '-AA--',
  'emotional_reading/vector/partner': '-----',
  'emotional_reading/metadata/self': '-AA--',
  'emotional_reading/metadata/partner': '-----',
  'need/structured/self': '-AAA-',
  'need/structured/partner': '-----',
  'need/vector/self': '-AAA-',
  'need/vector/partner': '-----',
  'need/metadata/self': '-AAA-',
  'need/metadata/partner': '-----',
  'boundary/structured/self': '-AA--',
  'boundary/structured/partner': '-----',
  'consented_content/structured': '--AAA',
  'common_ground/structured': '--AAA',
  'agreement/structured': '--A-A',
  'micro_experiment/structured': '----A',
  'experiment_suggestion/vector': '----A',
}

/** The query, where it is one that can be asked; null for everything else. */
export function legalQueryOf(query: unknown): RetrievalQuery | null {
  const parsed = legalQuery.safeParse(query)
  return parsed.success ? parsed.data : null
}

/** Whether a query may be made for `requester`, who stands at `stage`. Never throws, whatever `query` is. */
export function retrievalVerdict(query: unknown, stage: Stage, requester: string): RetrievalVerdict {
  const legal = legalQueryOf(query)
  if (legal === null) return 'INVALID_QUERY'
  const owner = 'userId' in legal ? [legal.userId === requester ? 'self' : 'partner'] : []
  const cells = CONTRACTS[[legal.type, legal.source, ...owner].join('/')]
  return cells?.[STAGES.indexOf(stage)] === 'A' ? 'ALLOWED' : 'RETRIEVAL_DENIED'
}
