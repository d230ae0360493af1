import { z } from 'zod'
import { unreachable } from '../../../base/assert.ts'
import type { Parsed } from '../../../machine/define/schema.ts'
import type { Dialogue } from '../../session/facts/rows.ts'
import { sessionTables, type DialoguesView } from '../facts/dialogues.ts'
import { exchangeTables, type ExchangeView, wasRevealed } from '../facts/exchange.ts'
import { stageOf, visibleCommonGround } from '../facts/gate-facts.ts'
import { RETRIEVE_ITEMS_MAX } from '../facts/gates-bounds.ts'
import { gatesTables, type GatesView, type TableReader } from '../facts/gates-schema.ts'
import { compareIds, idOf } from '../facts/ids.ts'
import { LIBRARY } from '../facts/library.ts'
import type { Stage } from '../facts/stages.ts'
import type { RetrievalQuery } from '../rules/contracts.ts'
import { shownAgreements } from './agreements.ts'
import { consentsOf } from './consents.ts'
import { dialoguesOf, sameRelationship } from './relationship.ts'

/** One item of a retrieval. `metadata` has neither content nor details. */
export const retrievedItem = z.object({
  id: z.string(),
  at: z.int(),
  content: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())])),
})
type Item = Parsed<typeof retrievedItem>

/** For whom, in which dialogue, at which stage. */
export interface Requester {
  readonly user: string
  readonly dialogue: Dialogue
  readonly stage: Stage
}

interface Source extends Requester {
  readonly gates: GatesView
  readonly sessions: DialoguesView
  readonly exchange: ExchangeView
  /** This dialogue and earlier ones of the relationship. */
  readonly related: readonly Dialogue[]
}

/**
 * The items of a query that is allowed, with the filters of domain.md §2.6, which are always applied. There are no
 * vectors here: a vector query gives what a structured one gives, and whoever asked ranks it.
 */
export function retrievedItems(reader: TableReader, query: RetrievalQuery, requester: Requester): readonly Item[] {
  const sessions = reader.read(sessionTables)
  const related = sameRelationship(sessions, requester.user, requester.dialogue)
  const items = itemsOf(query, {
    ...requester,
    sessions,
    related,
    gates: reader.read(gatesTables),
    exchange: reader.read(exchangeTables),
  })
  const latest = [...items].sort((a, b) => b.at - a.at || compareIds(b.id, a.id)).slice(0, RETRIEVE_ITEMS_MAX)
  const bare = query.source === 'metadata' && 'vessel' in query
  return bare ? latest.map(({ id, at }) => ({ id, at, content: null, details: {} })) : latest
}

function itemsOf(query: RetrievalQuery, source: Source): readonly Item[] {
  const { type } = query
  switch (type) {
    case 'session_metadata':
      return dialoguesOf(source.sessions, source.user).map((dialogue) => metadata(source, dialogue))
    case 'relationship_metadata':
      return relationship(source)
    case 'session_outcomes':
      return agreementsIn(source, source.related.slice(1), ['AGREED'])
    case 'user_event':
    case 'emotional_reading':
    case 'boundary':
      return source.related.flatMap(({ id }) => OWN_ITEMS[type](source, id))
    case 'need':
      return needs(source)
    case 'consented_content':
      return consented(source)
    case 'common_ground':
      return commonGround(source)
    case 'agreement':
      return agreements(source)
    case 'micro_experiment':
      return agreements(source).filter(({ details }) => details['type'] === 'MICRO_EXPERIMENT')
    case 'experiment_suggestion':
      return LIBRARY.map(({ id, category, description }) => ({
        id,
        at: 0,
        content: description,
        details: { category },
      }))
    default:
      return unreachable(type)
  }
}

/** Own stage only: nothing of the partner's. */
function metadata({ gates, user }: Source, { id, createdAt, status }: Dialogue): Item {
  return { id, at: createdAt, content: null, details: { status, stage: stageOf(gates, id, user).stage } }
}

function relationship({ related }: Source): readonly Item[] {
  const first = related.at(-1)
  if (first === undefined) return []
  return [{ id: first.relationshipId, at: first.createdAt, content: null, details: { sessions: related.length } }]
}

/** What lies under the requester's own name: there is no way to name somebody else here. */
const OWN_ITEMS: {
  readonly [type in 'user_event' | 'emotional_reading' | 'boundary']: (source: Source, sid: string) => readonly Item[]
} = {
  user_event: ({ gates, user }, sid) =>
    gates.events
      .range({ prefix: [sid, user], limit: RETRIEVE_ITEMS_MAX, reverse: true })
      .map(([[, , number], event]) => ({
        id: idOf('evt', number),
        at: event.at,
        content: event.description,
        details: { attributedTo: event.attributedTo, emotions: event.emotions },
      })),
  boundary: ({ gates, user }, sid) =>
    gates.boundaries
      .range({ prefix: [sid, user], limit: RETRIEVE_ITEMS_MAX, reverse: true })
      .map(([[, , number], row]) => ({
        id: idOf('bnd', number),
        at: row.at,
        content: row.description,
        details: { nonNegotiable: row.nonNegotiable },
      })),
  emotional_reading: ({ sessions, user }, sid) =>
    sessions.readings.range({ prefix: [sid, user], limit: RETRIEVE_ITEMS_MAX, reverse: true }).map(([, reading]) => ({
      id: reading.id,
      at: reading.at,
      content: reading.context,
      details: { intensity: reading.intensity, stage: reading.stage },
    })),
}

/** Earlier dialogues too before stage 3; there this one alone, without what was rejected. */
function needs({ gates, related, stage, user, dialogue }: Source): readonly Item[] {
  const where = stage === 3 ? [dialogue] : related
  const rows = where.flatMap(({ id }) => gates.needs.range({ prefix: [id, user], limit: RETRIEVE_ITEMS_MAX }))
  return rows.flatMap(([[, , number], need]) => {
    if (stage === 3 && need.decision === 'REJECTED') return []
    const { category, decision, source, evidence } = need
    return [
      {
        id: idOf('need', number),
        at: need.at,
        content: need.adjustment ?? need.description,
        details: { category, decision, source, evidence },
      },
    ]
  })
}

/** Of either, while the consent is active at this very entry; at stage 3 needs and boundaries alone. */
function consented({ gates, exchange, dialogue, stage, user }: Source): readonly Item[] {
  return consentsOf(gates, dialogue.id).flatMap(([number, { contentType, content, owner, grantedAt, revokedAt }]) => {
    if (revokedAt !== null) return []
    if (stage === 3 && contentType !== 'IDENTIFIED_NEED' && contentType !== 'BOUNDARY') return []
    const partners = owner !== user
    if (partners && contentType === 'EMPATHY_ATTEMPT' && !wasRevealed(exchange, dialogue.id, owner)) return []
    // Whose strategy one is nobody learns: the pool shows it without a name.
    if (partners && contentType === 'STRATEGY_PROPOSAL') return []
    return [{ id: idOf('con', number), at: grantedAt, content, details: { contentType, sourceUser: owner } }]
  })
}

/** Both sources shared; at stage 2 earlier dialogues alone, since this one has none yet. */
function commonGround({ gates, related, stage }: Source): readonly Item[] {
  const where = stage === 2 ? related.slice(1) : related.slice(0, 1)
  const rows = where.flatMap(({ id }) => visibleCommonGround(gates, id))
  return rows.map(([[, number], { at, need, category, description, confirmedAt }]) => ({
    id: idOf('cg', number),
    at,
    content: description,
    details: { need, category, confirmed: confirmedAt !== null },
  }))
}

function agreements(source: Source): readonly Item[] {
  const proposed = source.stage === 4 ? agreementsIn(source, source.related.slice(0, 1), ['PROPOSED']) : []
  return [...agreementsIn(source, source.related, ['AGREED']), ...proposed]
}

function agreementsIn(
  { gates }: Source,
  where: readonly Dialogue[],
  statuses: readonly ('AGREED' | 'PROPOSED')[],
): readonly Item[] {
  return where.flatMap(({ id: sid }) =>
    shownAgreements(gates, sid).flatMap(({ id, description, type, status, agreedAt, hasStaleInputs }) => {
      if (!statuses.some((wanted) => wanted === status)) return []
      return [{ id, at: agreedAt ?? 0, content: description, details: { sid, type, status, hasStaleInputs } }]
    }),
  )
}
