import { gateFactsOf, type GateFacts } from '../facts/gate-facts.ts'
import { factTables, type GatesContext } from '../facts/gates-schema.ts'
import type { IdKind } from '../facts/ids.ts'
import { NEW_DIALOGUE, NOTHING_DONE, type GatesDialogue, type PersonRow } from '../facts/rows.ts'
import type { Place } from './access.ts'

/** What has been done in a dialogue, by each and together. */

export const personOf = (ctx: GatesContext, sid: string, user: string): PersonRow =>
  ctx.state.people.get([sid, user]) ?? NOTHING_DONE

export function changePerson(ctx: GatesContext, sid: string, user: string, changes: Partial<PersonRow>): void {
  ctx.state.people.set([sid, user], { ...personOf(ctx, sid, user), ...changes })
}

export const togetherOf = (ctx: GatesContext, sid: string): GatesDialogue =>
  ctx.state.dialogues.get(sid) ?? NEW_DIALOGUE

export function changeTogether(ctx: GatesContext, sid: string, changes: Partial<GatesDialogue>): void {
  ctx.state.dialogues.set(sid, { ...togetherOf(ctx, sid), ...changes })
}

/** The facts as they stand now, with what this entry has changed. */
export const factsOf = (ctx: GatesContext, { sid, user, partner }: Place): GateFacts =>
  gateFactsOf(factTables(ctx), sid, [user, partner])

/**
 * The next number of a kind. `whose`: the person whose own it is, in whatever dialogue, or the relationship where it belongs to
 * both. So whatever one person sees of a kind has different ids.
 */
export function nextNumber(ctx: GatesContext, whose: string, kind: IdKind): number {
  const number = (ctx.state.counters.get([whose, kind]) ?? 0) + 1
  ctx.state.counters.set([whose, kind], number)
  return number
}
