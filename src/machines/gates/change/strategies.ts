import { STRATEGIES_MAX } from '../facts/gates-bounds.ts'
import { visibleCommonGround } from '../facts/gate-facts.ts'
import type { GatesContext, GatesView } from '../facts/gates-schema.ts'
import { idOf } from '../facts/ids.ts'
import { LIBRARY } from '../facts/library.ts'
import type { Strategy } from '../facts/rows.ts'
import type { Place } from './access.ts'
import { changePerson, changeTogether, nextNumber, personOf, togetherOf } from './people.ts'

/** The pool of strategies, and the phase that it is in. */

export const poolOf = (view: GatesView, sid: string): readonly (readonly [string, Strategy])[] =>
  view.strategies
    .range({ prefix: [sid], limit: STRATEGIES_MAX })
    .map(([[, number], strategy]) => [idOf('str', number), strategy] as const)

/** Puts a strategy into the pool; the caller looked whether there is room. */
export function addStrategy(
  ctx: GatesContext,
  { sid, dialogue }: Pick<Place, 'sid' | 'dialogue'>,
  given: {
    readonly author: string | null
    readonly description: string
    readonly needsAddressed?: readonly string[] | undefined
    readonly duration?: string | undefined
    readonly measureOfSuccess?: string | undefined
  },
): string {
  const number = nextNumber(ctx, dialogue.relationshipId, 'str')
  ctx.state.strategies.set([sid, number], {
    author: given.author,
    source: given.author === null ? 'AI_SUGGESTED' : 'USER',
    description: given.description,
    needsAddressed: given.needsAddressed ?? [],
    duration: given.duration ?? null,
    measureOfSuccess: given.measureOfSuccess ?? null,
    at: ctx.now,
  })
  return idOf('str', number)
}

/** Asks a worker for suggestions: it gets the common ground that both confirmed and the library, nobody's own words. */
export function suggest(
  ctx: GatesContext,
  sid: string,
  { count, focusNeeds = [] }: { readonly count: number; readonly focusNeeds?: readonly string[] },
): void {
  const commonGround = visibleCommonGround(ctx.state, sid).flatMap(([[, number], item]) => {
    const id = idOf('cg', number)
    const wanted = item.confirmedAt !== null && (focusNeeds.length === 0 || focusNeeds.includes(id))
    return wanted ? [{ id, need: item.need, category: item.category, description: item.description }] : []
  })
  const library = LIBRARY.map(({ id, category, description }) => ({ id, category, description }))
  const taskId = ctx.task('strategies.suggest', sid, { sid, count, commonGround, library })
  changeTogether(ctx, sid, { suggestion: { taskId, count, focusNeeds } })
}

export const bothReady = (ctx: GatesContext, sid: string, users: readonly string[]): boolean =>
  users.every((user) => personOf(ctx, sid, user).ready !== null)

/** Both are ready and there is something to rank: from now on the pool is closed. */
export function maybeRank(ctx: GatesContext, sid: string, users: readonly string[]): boolean {
  if (togetherOf(ctx, sid).phase !== 'COLLECTING' || !bothReady(ctx, sid, users)) return false
  if (poolOf(ctx.state, sid).length === 0) return false
  changeTogether(ctx, sid, { phase: 'RANKING' })
  return true
}

/** Back to collecting: nobody is ready, nothing is ranked. */
export function collectAgain(ctx: GatesContext, sid: string, users: readonly string[]): void {
  for (const user of users) changePerson(ctx, sid, user, { ready: null, ranking: null })
  changeTogether(ctx, sid, { phase: 'COLLECTING', overlap: null })
}
