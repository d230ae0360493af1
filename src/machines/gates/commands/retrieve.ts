import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { activePlaceOf, dialogueOfMember, type StagedPlace } from '../change/access.ts'
import { retrievedItem, retrievedItems } from '../change/retrieval-items.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { id, sid } from '../facts/fields.ts'
import { QUERY_TEXT_MAX, RETRIEVALS_MAX, RETRIEVE_QUERIES_MAX } from '../facts/gates-bounds.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { retrievalRow } from '../facts/rows.ts'
import { legalQueryOf, retrievalVerdict, type RetrievalVerdict } from '../rules/contracts.ts'

/** What a person's AI may be given (domain.md §2.6). */

export const retrievalQueries = z.array(z.unknown()).min(1).max(RETRIEVE_QUERIES_MAX)
export const verdict = retrievalRow.shape.verdict

/** For this role somebody may act for a person, and only for a member of the dialogue. */
const FACILITATOR = 'facilitator'

/**
 * Judges each query by the contract of its stage and gives the items of those that are allowed. Every query is written down
 * with its verdict, and so is a call that is refused as a whole.
 */
export const retrieve = command(
  {
    input: sid.extend({ onBehalfOf: id.optional(), queries: retrievalQueries }),
    output: z.object({
      verdicts: z.array(verdict),
      /** Of the queries that are allowed, by their position; empty when there are none. */
      bundle: z.array(z.object({ position: z.int(), items: z.array(retrievedItem) })),
    }),
  },
  (ctx: GatesContext, { sid: dialogue, onBehalfOf = ctx.principal, queries }) => {
    const place = requesterPlace(ctx, dialogue, onBehalfOf)
    if (isRejection(place)) {
      ctx.audit({ machine: 'gates', kind: 'retrieval-refused', sid: dialogue, by: ctx.principal, code: place.code })
      return place
    }
    const verdicts = queries.map((query) => retrievalVerdict(query, place.stage, place.user))
    const bundle = queries.flatMap((query, position) => {
      const legal = legalQueryOf(query)
      const items = legal === null || verdicts[position] !== 'ALLOWED' ? null : retrievedItems(ctx, legal, place)
      writeDown(ctx, place, {
        query,
        verdict: verdicts[position] ?? 'INVALID_QUERY',
        itemIds: (items ?? []).map((item) => item.id),
      })
      return items === null ? [] : [{ position, items }]
    })
    return { verdicts, bundle }
  },
)

/** A member for itself, or a facilitator for a member: to everybody else there is no such dialogue. */
function requesterPlace(
  ctx: GatesContext,
  dialogue: string,
  onBehalfOf: string,
): StagedPlace | Rejection<'NOT_FOUND' | 'FORBIDDEN' | 'SESSION_NOT_ACTIVE'> {
  const { principal } = ctx
  if (onBehalfOf === principal) return activePlaceOf(ctx, dialogue)
  if (dialogueOfMember(ctx.read(sessionTables), dialogue, principal) !== null)
    return ctx.reject('FORBIDDEN', { sid: dialogue })
  if (!isFacilitator(principal, ctx.roles)) return ctx.reject('NOT_FOUND', { sid: dialogue })
  return activePlaceOf(ctx, dialogue, onBehalfOf)
}

export const isFacilitator = (principal: string, roles: readonly string[]): boolean =>
  principal.startsWith('worker:') && roles.includes(FACILITATOR)

function writeDown(
  ctx: GatesContext,
  { sid: dialogue, user, stage }: StagedPlace,
  {
    query,
    verdict: given,
    itemIds,
  }: { readonly query: unknown; readonly verdict: RetrievalVerdict; readonly itemIds: readonly string[] },
): void {
  const counter = `ret/${dialogue}`
  const number = (ctx.state.counters.get(counter) ?? 0) + 1
  ctx.state.counters.set(counter, number)
  ctx.state.retrievals.set([dialogue, number], {
    at: ctx.now,
    requester: ctx.principal,
    onBehalfOf: user,
    stage,
    // Cut between characters: half of one is no text that the log can hold.
    query: JSON.stringify(query)
      .slice(0, QUERY_TEXT_MAX)
      .replace(/[\uD800-\uDBFF]$/, ''),
    verdict: given,
    itemIds,
  })
  ctx.state.retrievals.delete([dialogue, number - RETRIEVALS_MAX])
  if (given !== 'ALLOWED') ctx.state.violations.set(stage, (ctx.state.violations.get(stage) ?? 0) + 1)
}
