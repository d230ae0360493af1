import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { placeAt, type StagedPlace } from '../change/access.ts'
import { changePerson, changeTogether, personOf, togetherOf } from '../change/people.ts'
import { addStrategy, bothReady, collectAgain, maybeRank, poolOf, suggest } from '../change/strategies.ts'
import { duration, id, measure, planText, sid } from '../facts/fields.ts'
import { visibleCommonGround } from '../facts/gate-facts.ts'
import { idOf } from '../facts/ids.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { NEEDS_ADDRESSED_MAX, STRATEGIES_MAX, SUGGESTIONS_DEFAULT, SUGGESTIONS_MAX } from '../facts/gates-bounds.ts'
import { PHASES } from '../facts/rows.ts'
import { overlapOf } from '../rules/overlap.ts'

/** Strategies: collected, ranked in secret, laid side by side (domain.md §2.3, §2.4). */

type Phase = (typeof PHASES)[number]
const phase = z.enum(PHASES)

/** The issuer's place at the last stage, in one of these phases. */
function placeIn(ctx: GatesContext, dialogue: string, phases: readonly Phase[]) {
  const place = placeAt(ctx, dialogue, [4])
  return isRejection(place) ? place : (refusedPhase(ctx, dialogue, phases) ?? place)
}

function refusedPhase(ctx: GatesContext, dialogue: string, phases: readonly Phase[]): Rejection<'PHASE_CLOSED'> | null {
  const { phase: actual } = togetherOf(ctx, dialogue)
  return phases.includes(actual) ? null : ctx.reject('PHASE_CLOSED', { phase: actual })
}

const usersOf = ({ user, partner }: StagedPlace): readonly [string, string] => [user, partner]

/** Puts one into the pool. Whose it was no answer ever says. */
export const proposeStrategy = command(
  {
    input: sid.extend({
      description: planText,
      needsAddressed: z.array(id).max(NEEDS_ADDRESSED_MAX).optional(),
      duration: duration.optional(),
      measureOfSuccess: measure.optional(),
    }),
    output: z.object({ strategyId: id, total: z.int() }),
  },
  (ctx: GatesContext, { sid: dialogue, ...given }) => {
    const place = placeIn(ctx, dialogue, ['COLLECTING', 'NEGOTIATING'])
    if (isRejection(place)) return place
    const total = poolOf(ctx.state, dialogue).length + 1
    if (total > STRATEGIES_MAX) return ctx.reject('VALIDATION_ERROR', { reason: 'TOO_MANY', max: STRATEGIES_MAX })
    const refused = refusedItem(ctx, dialogue, given.needsAddressed)
    if (refused !== null) return refused
    const strategyId = addStrategy(ctx, place, { ...given, author: place.user })
    ctx.notify(place.partner, 'strategies.updated', { sid: dialogue, total })
    return { strategyId, total }
  },
)

/** What a strategy is good for must be common ground that both can see. */
function refusedItem(
  ctx: GatesContext,
  dialogue: string,
  ids: readonly string[] = [],
): Rejection<'VALIDATION_ERROR'> | null {
  const visible = visibleCommonGround(ctx.state, dialogue).map(([[, number]]) => idOf('cg', number))
  const unknown = ids.find((cgId) => !visible.includes(cgId))
  return unknown === undefined ? null : ctx.reject('VALIDATION_ERROR', { reason: 'UNKNOWN_ITEM', cgId: unknown })
}

/** Asks a worker for ideas; one task at a time. */
export const requestSuggestions = command(
  {
    input: sid.extend({
      count: z.int().min(1).max(SUGGESTIONS_MAX).default(SUGGESTIONS_DEFAULT),
      focusNeeds: z.array(id).max(NEEDS_ADDRESSED_MAX).default([]),
    }),
    output: z.object({ already: z.boolean() }),
  },
  (ctx: GatesContext, { sid: dialogue, count, focusNeeds }) => {
    const place = placeIn(ctx, dialogue, ['COLLECTING', 'NEGOTIATING'])
    if (isRejection(place)) return place
    const refused = refusedItem(ctx, dialogue, focusNeeds)
    if (refused !== null) return refused
    if (togetherOf(ctx, dialogue).suggestion !== null) return { already: true }
    suggest(ctx, dialogue, { count, focusNeeds })
    return { already: false }
  },
)

/** Says that one has no more to propose. When both have, they rank; where there is nothing to rank, ideas are fetched first. */
export const markStrategiesReady = command(
  {
    input: sid.extend({ declareNone: z.boolean().default(false) }),
    output: z.object({ phase, partnerReady: z.boolean() }),
  },
  (ctx: GatesContext, { sid: dialogue, declareNone }) => {
    const place = placeAt(ctx, dialogue, [4])
    if (isRejection(place)) return place
    const { user, partner } = place
    const declaredNone = !poolOf(ctx.state, dialogue).some(([, { author }]) => author === user)
    if (declaredNone && !declareNone) return ctx.reject('NO_STRATEGIES', {})
    const refused = refusedPhase(ctx, dialogue, ['COLLECTING'])
    if (refused !== null) return refused
    changePerson(ctx, dialogue, user, { ready: { at: ctx.now, declaredNone } })
    const ranks = maybeRank(ctx, dialogue, usersOf(place))
    const empty = !ranks && bothReady(ctx, dialogue, usersOf(place))
    if (empty && togetherOf(ctx, dialogue).suggestion === null) {
      suggest(ctx, dialogue, { count: SUGGESTIONS_DEFAULT })
    }
    ctx.notify(partner, 'strategies.ready', { sid: dialogue })
    return { phase: togetherOf(ctx, dialogue).phase, partnerReady: personOf(ctx, dialogue, partner).ready !== null }
  },
)

/** Ranks the pool, best first; it may be changed until both have. The partner sees it only then. */
export const submitRanking = command(
  {
    input: sid.extend({ rankedIds: z.array(id).max(STRATEGIES_MAX) }),
    output: z.object({ phase, overlap: z.array(id).nullable() }),
  },
  (ctx: GatesContext, { sid: dialogue, rankedIds }) => {
    const place = placeIn(ctx, dialogue, ['RANKING'])
    if (isRejection(place)) return place
    const { user, partner } = place
    const pool = poolOf(ctx.state, dialogue).map(([strategyId]) => strategyId)
    const wrong = rankedIds.find((ranked, position) => !pool.includes(ranked) || rankedIds.indexOf(ranked) !== position)
    if (wrong !== undefined || rankedIds.length === 0) {
      return ctx.reject('VALIDATION_ERROR', { reason: 'NOT_A_RANKING', strategyId: wrong ?? null })
    }
    changePerson(ctx, dialogue, user, { ranking: { ids: rankedIds, at: ctx.now } })
    ctx.notify(partner, 'partner.ranking_submitted', { sid: dialogue })
    const others = personOf(ctx, dialogue, partner).ranking
    if (others === null) return { phase: 'RANKING' as const, overlap: null }
    const ids = overlapOf(rankedIds, others.ids)
    const next = ids.length === 0 ? ('NEGOTIATING' as const) : ('REVEALING' as const)
    changeTogether(ctx, dialogue, { phase: next, overlap: { ids, at: ctx.now } })
    for (const member of usersOf(place)) {
      ctx.notify(member, 'strategies.overlap', { sid: dialogue, count: ids.length })
    }
    return { phase: next, overlap: ids }
  },
)

/** Nothing in common: collects once more. */
export const reopenStrategies = command(
  { input: sid, output: z.object({ phase }) },
  (ctx: GatesContext, { sid: dialogue }) => {
    const place = placeIn(ctx, dialogue, ['NEGOTIATING'])
    if (isRejection(place)) return place
    collectAgain(ctx, dialogue, usersOf(place))
    return { phase: 'COLLECTING' as const }
  },
)
