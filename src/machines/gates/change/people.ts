import { gateFactsOf, type GateFacts } from '../facts/gate-facts.ts'
import { factTables, type GatesContext } from '../facts/gates-schema.ts'
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

type Counter = 'evt' | 'bnd' | 'need' | 'cg' | 'str' | 'agr' | 'con'

/** The next id of a kind: they count up in the state. */
export function nextId(ctx: GatesContext, kind: Counter): string {
  const number = (ctx.state.counters.get(kind) ?? 0) + 1
  ctx.state.counters.set(kind, number)
  return `${kind}-${number}`
}
