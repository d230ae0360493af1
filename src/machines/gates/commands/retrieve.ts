import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { activePlaceOf, dialogueOfMember, type StagedPlace } from '../change/access.ts'
import { retrievedItems } from '../change/retrieval-items.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { id, sid } from '../facts/fields.ts'
import { QUERY_TEXT_MAX, REFUSALS_MAX, RETRIEVALS_MAX, RETRIEVE_QUERIES_MAX } from '../facts/gates-bounds.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { retrievalRow } from '../facts/rows.ts'
import { legalQueryOf, retrievalVerdict, type RetrievalVerdict } from '../rules/contracts.ts'

/** What a person's AI may be given (domain.md §2.6). */

export const retrievalQueries = z.array(z.unknown()).min(1).max(RETRIEVE_QUERIES_MAX)
export const verdict = retrievalRow.shape.verdict

/** For this role somebody may act for a person, and only for a member of the dialogue. */
const FACILITATOR = 'facilitator'

/**
 * Judges each query by the contract of its stage, and names the items of those that are allowed: what they hold is read with
 * the query `retrieved`, since an answer to a command is kept for its repeats, and would outlive a revocation. Every query is
 * written down with its verdict, and so is a call that is refused as a whole.
 */
export const retrieve = command(
  {
    input: sid.extend({ onBehalfOf: id.optional(), queries: retrievalQueries }),
    output: z.object({
      verdicts: z.array(verdict),
      /**
       * Of the queries that are allowed, by their position, with the number to read the items by; empty when there are none.
       */
      bundle: z.array(z.object({ position: z.int(), seq: z.int(), itemIds: z.array(z.string()) })),
    }),
  },
  (ctx: GatesContext, { sid: dialogue, onBehalfOf = ctx.principal, queries }) => {
    const place = requesterPlace(ctx, dialogue, onBehalfOf)
    if (isRejection(place)) {
      const { code } = place
      ctx.afterReject((after) => noteRefusal(after, { sid: dialogue, onBehalfOf, code }))
      return place
    }
    const verdicts = queries.map((query) => retrievalVerdict(query, place.stage, place.user))
    const bundle = queries.flatMap((query, position) => {
      const legal = legalQueryOf(query)
      const allowed = legal !== null && verdicts[position] === 'ALLOWED'
      const itemIds = allowed ? retrievedItems(ctx, legal, place).map((item) => item.id) : []
      const seq = writeDown(ctx, place, {
        query: legal ?? query,
        verdict: verdicts[position] ?? 'INVALID_QUERY',
        itemIds,
      })
      return allowed ? [{ position, seq, itemIds }] : []
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

/** Of one issuer the latest are kept: nobody drives out what is written down about others. */
function noteRefusal(
  ctx: GatesContext,
  { sid: dialogue, onBehalfOf, code }: { readonly sid: string; readonly onBehalfOf: string; readonly code: string },
): void {
  const { principal } = ctx
  const [last] = ctx.state.refusals.range({ prefix: [principal], limit: 1, reverse: true })
  const number = (last?.[0][1] ?? 0) + 1
  ctx.state.refusals.set([principal, number], { at: ctx.now, sid: dialogue, onBehalfOf, code })
  ctx.state.refusals.delete([principal, number - REFUSALS_MAX])
}

function writeDown(
  ctx: GatesContext,
  { sid: dialogue, user, stage }: StagedPlace,
  {
    query,
    verdict: given,
    itemIds,
  }: { readonly query: unknown; readonly verdict: RetrievalVerdict; readonly itemIds: readonly string[] },
): number {
  const [last] = ctx.state.retrievals.range({ prefix: [dialogue, user], limit: 1, reverse: true })
  const number = (last?.[0][2] ?? 0) + 1
  ctx.state.retrievals.set([dialogue, user, number], {
    at: ctx.now,
    requester: ctx.principal,
    stage,
    query: given === 'INVALID_QUERY' ? cut(JSON.stringify(query)) : JSON.stringify(query),
    verdict: given,
    itemIds,
  })
  ctx.state.retrievals.delete([dialogue, user, number - RETRIEVALS_MAX])
  if (given !== 'ALLOWED') ctx.state.violations.set(stage, (ctx.state.violations.get(stage) ?? 0) + 1)
  return number
}

/** Between characters: half of one is no text that the log can hold. */
const cut = (text: string): string => text.slice(0, QUERY_TEXT_MAX).replace(/[\uD800-\uDBFF]$/, '')
