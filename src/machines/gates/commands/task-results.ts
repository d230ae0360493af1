import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import { membersOf } from '../../session/change/access.ts'
import { stageOf, visibleCommonGround } from '../facts/gate-facts.ts'
import { sessionTables } from '../facts/dialogues.ts'
import { NEEDS_MAX, STRATEGIES_MAX } from '../facts/gates-bounds.ts'
import type { GatesContext, gatesSchema } from '../facts/gates-schema.ts'
import type { Place } from '../change/access.ts'
import { analyze, bothShared, sharedNeeds } from '../change/consents.ts'
import { addCommonGround } from '../change/common-ground.ts'
import { idOf, numberIn } from '../facts/ids.ts'
import { bothReady, addStrategy, collectAgain, maybeRank, poolOf, suggest } from '../change/strategies.ts'
import { changePerson, changeTogether, nextNumber, personOf, togetherOf } from '../change/people.ts'

/**
 * What workers bring, and what happens without them (domain.md §0.7): each kind has a fallback, so nothing hangs. The tasks of
 * a closed dialogue are cancelled, so their results never get here.
 */

type Handlers<Kind extends keyof (typeof gatesSchema)['tasks']> = TaskHandlers<typeof gatesSchema, Kind>

/** Needs that a worker found in a person's own words. Only that person sees them. */
export const needsSynthesize: Handlers<'needs.synthesize'> = {
  onResult: (ctx, { payload }, { needs }) => {
    const { sid, user } = payload
    changePerson(ctx, sid, user, { needsTaskId: null })
    // Whoever has gone on cannot decide any more: an undecided need would hold up the partner.
    if (stageOf(ctx.state, sid, user).stage !== 3) return null
    const room = NEEDS_MAX - ctx.state.needs.count({ prefix: [sid, user] })
    for (const { confidence, ...need } of needs.slice(0, Math.max(0, room))) {
      const found = { ...need, source: 'AI' as const, aiConfidence: confidence, decision: null, adjustment: null }
      ctx.state.needs.set([sid, user, nextNumber(ctx, user, 'need')], { ...found, at: ctx.now })
    }
    return null
  },
  /** The list stays as it is: people add needs by hand. */
  onFailed: (ctx, { payload }) => changePerson(ctx, payload.sid, payload.user, { needsTaskId: null }),
}

/** Common ground that a worker found. An item of which a source is no longer shared, or not of each, is dropped. */
export const commonGroundAnalyze: Handlers<'common_ground.analyze'> = {
  onResult: (ctx, { payload }, { items }) => {
    const { sid } = payload
    const dialogue = ctx.read(sessionTables).dialogues.get(sid)
    if (dialogue === undefined) return null
    const users = membersOf(dialogue)
    for (const item of items) {
      const owners = [item.sourceNeedA, item.sourceNeedB].map((consent) => ownerOfNeed(ctx, sid, consent))
      const holds = users.every((user) => owners.includes(user))
      if (holds) addCommonGround(ctx, { sid, dialogue }, { ...item, confirmedBy: [] })
    }
    endAnalysis(ctx, sid)
    return null
  },
  /** It is over, without anything found: people name it by hand. */
  onFailed: (ctx, { payload }) => endAnalysis(ctx, payload.sid),
}

function endAnalysis(ctx: GatesContext, sid: string): void {
  changeTogether(ctx, sid, { analysis: { state: 'DONE', taskId: null } })
  const count = visibleCommonGround(ctx.state, sid).length
  for (const user of peopleOf(ctx, sid)) ctx.notify(user, 'common_ground.ready', { sid, count })
}

/** Whose need a consent shares now; null when it shares none. */
function ownerOfNeed(ctx: GatesContext, sid: string, consentId: string): string | null {
  const consent = ctx.state.consents.get([sid, numberIn('con', consentId)])
  return consent?.contentType === 'IDENTIFIED_NEED' && consent.revokedAt === null ? consent.owner : null
}

/** Ideas of a worker: they join the pool while it is open, at most as many as were asked for. */
export const strategiesSuggest: Handlers<'strategies.suggest'> = {
  onResult: (ctx, { payload }, { strategies }) => {
    const { sid, count } = payload
    const dialogue = ctx.read(sessionTables).dialogues.get(sid)
    if (dialogue === undefined) return null
    changeTogether(ctx, sid, { suggestion: null })
    const { phase } = togetherOf(ctx, sid)
    const users = membersOf(dialogue)
    if (phase === 'COLLECTING' || phase === 'NEGOTIATING') {
      const visible = visibleCommonGround(ctx.state, sid).map(([[, number]]) => idOf('cg', number))
      const room = Math.max(0, STRATEGIES_MAX - poolOf(ctx.state, sid).length)
      for (const strategy of strategies.slice(0, Math.min(count, room))) {
        const needsAddressed = (strategy.needsAddressed ?? []).filter((id) => visible.includes(id))
        addStrategy(ctx, { sid, dialogue }, { ...strategy, needsAddressed, author: null })
      }
      const total = poolOf(ctx.state, sid).length
      for (const user of users) ctx.notify(user, 'strategies.updated', { sid, total })
    }
    goOn(ctx, sid, users)
    return null
  },
  onFailed: (ctx, { payload }) => {
    changeTogether(ctx, payload.sid, { suggestion: null })
    goOn(ctx, payload.sid, peopleOf(ctx, payload.sid))
  },
}

/** Both waited for ideas: now they rank, or when there are none they begin anew. */
function goOn(ctx: GatesContext, sid: string, users: readonly string[]): void {
  if (maybeRank(ctx, sid, users)) {
    for (const user of users) ctx.notify(user, 'strategies.ready', { sid })
  } else if (togetherOf(ctx, sid).phase === 'COLLECTING' && bothReady(ctx, sid, users)) collectAgain(ctx, sid, users)
}

/** The two people of a dialogue. */
export function peopleOf(ctx: GatesContext, sid: string): readonly string[] {
  const dialogue = ctx.read(sessionTables).dialogues.get(sid)
  return dialogue === undefined ? [] : membersOf(dialogue)
}

/**
 * A need is no longer shared: whoever works with what was shared, or will, is asked anew without it. What a worker holds
 * already cannot be taken from it; its result is refused, because its task is cancelled.
 */
export function askAgain(ctx: GatesContext, place: Pick<Place, 'sid' | 'user' | 'partner'>): void {
  const { sid } = place
  const { analysis, suggestion } = togetherOf(ctx, sid)
  if (analysis.taskId !== null) {
    ctx.cancelTask(analysis.taskId)
    const needs = sharedNeeds(ctx.state, sid)
    if (bothShared(needs, place)) analyze(ctx, place, needs)
    else changeTogether(ctx, sid, { analysis: { state: 'NONE', taskId: null } })
  }
  if (suggestion !== null) {
    ctx.cancelTask(suggestion.taskId)
    suggest(ctx, sid, suggestion)
  }
}

/** Nothing of a dialogue that is over is worked on any more. */
export function cancelTasks(ctx: GatesContext, sid: string): void {
  const { analysis, suggestion } = togetherOf(ctx, sid)
  const users = peopleOf(ctx, sid)
  const open = [analysis.taskId, suggestion?.taskId, ...users.map((user) => personOf(ctx, sid, user).needsTaskId)]
  for (const taskId of open) if (typeof taskId === 'string') ctx.cancelTask(taskId)
  // What ran has ended, without anything found.
  const state = analysis.state === 'RUNNING' ? 'DONE' : analysis.state
  changeTogether(ctx, sid, { analysis: { state, taskId: null }, suggestion: null })
  for (const user of users) changePerson(ctx, sid, user, { needsTaskId: null })
}
