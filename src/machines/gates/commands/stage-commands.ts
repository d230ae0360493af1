import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { activePlaceOf, refusedStage, type Place } from '../change/access.ts'
import { changePerson, factsOf, personOf } from '../change/people.ts'
import { note, sid } from '../facts/fields.ts'
import { stageOf } from '../facts/gate-facts.ts'
import type { GatesContext } from '../facts/gates-schema.ts'
import { GATE_KEYS, type Stage } from '../facts/stages.ts'
import { advanceRefusal, mayAdvance } from '../rules/advance.ts'

/** How a person goes from stage to stage: always on purpose, never by itself (domain.md §2.3, §2.5). */

/** Signs the compact. */
export const signCompact = command(
  {
    input: sid.extend({ agreed: z.literal(true) }),
    output: z.object({
      signed: z.literal(true),
      signedAt: z.int(),
      partnerSigned: z.boolean(),
      canAdvance: z.boolean(),
    }),
  },
  (ctx: GatesContext, { sid: id }) => {
    const place = activePlaceOf(ctx, id)
    if (isRejection(place)) return place
    const { user, partner } = place
    if (personOf(ctx, id, user).signedAt !== null) return ctx.reject('CONFLICT', { reason: 'ALREADY_SIGNED' })
    const refused = refusedStage(ctx, place, [0])
    if (refused !== null) return refused
    changePerson(ctx, id, user, { signedAt: ctx.now })
    ctx.notify(partner, 'partner.signed_compact', { sid: id })
    return {
      signed: true as const,
      signedAt: ctx.now,
      partnerSigned: personOf(ctx, id, partner).signedAt !== null,
      canAdvance: mayAdvance(factsOf(ctx, place), user),
    }
  },
)

/** Says that one feels heard; it cannot be taken back. The note is for nobody and is not kept. */
export const confirmFeelHeard = command(
  {
    input: sid.extend({ confirmed: z.boolean(), note: note.optional() }),
    output: z.object({
      confirmed: z.boolean(),
      already: z.boolean(),
      canAdvance: z.boolean(),
      partnerCompleted: z.boolean(),
    }),
  },
  (ctx: GatesContext, { sid: id, confirmed }) => {
    const place = activePlaceOf(ctx, id)
    if (isRejection(place)) return place
    const { user, partner } = place
    const already = personOf(ctx, id, user).feelHeardAt !== null
    if (already && !confirmed) return ctx.reject('CONFLICT', { reason: 'ALREADY_CONFIRMED' })
    const refused = already ? null : refusedStage(ctx, place, [1])
    if (refused !== null) return refused
    if (confirmed && !already) {
      changePerson(ctx, id, user, { feelHeardAt: ctx.now })
      ctx.publish('FeelHeardConfirmed', { sid: id, user })
      ctx.notify(partner, 'partner.stage_completed', { sid: id, stage: 1 })
    }
    const partnerCompleted = personOf(ctx, id, partner).feelHeardAt !== null
    return { confirmed, already, canAdvance: mayAdvance(factsOf(ctx, place), user), partnerCompleted }
  },
)

/** Goes on to the next stage. The stage that is left is closed with its keys, which are all true; nothing opens it again. */
export const advanceStage = command(
  {
    input: sid.extend({ fromStage: z.int(), toStage: z.int() }),
    output: z.object({ stage: z.int(), completed: z.int() }),
  },
  (ctx: GatesContext, { sid: id, fromStage, toStage }) => {
    const place = activePlaceOf(ctx, id)
    if (isRejection(place)) return place
    const refusal = advanceRefusal(factsOf(ctx, place), place.user, { fromStage, toStage })
    switch (refusal?.error) {
      case 'INVALID_STAGE_TRANSITION':
        return ctx.reject('INVALID_STAGE_TRANSITION', { from: fromStage, to: toStage, actual: refusal.actual })
      case 'GATES_NOT_SATISFIED':
        return ctx.reject('GATES_NOT_SATISFIED', { unsatisfied: refusal.unsatisfied })
      case 'PARTNER_NOT_READY':
        return ctx.reject('PARTNER_NOT_READY', { stage: refusal.stage })
      case undefined:
        enterNext(ctx, place, place.stage)
        return { stage: toStage, completed: fromStage }
    }
  },
)

function enterNext(ctx: GatesContext, { sid: id, user, partner }: Place, stage: Stage): void {
  completeStage(ctx, id, user)
  const { needsTaskId } = personOf(ctx, id, user)
  if (needsTaskId !== null) {
    // Needs that came now could not be decided on any more, and would hold up the partner for ever.
    ctx.cancelTask(needsTaskId)
    changePerson(ctx, id, user, { needsTaskId: null })
  }
  const next = stage + 1
  ctx.state.stages.set([id, user, next], { startedAt: ctx.now, completedAt: null, frozenGates: null })
  ctx.publish('StageEntered', { sid: id, user, stage: next })
  ctx.notify(partner, 'partner.advanced', { sid: id, toStage: next })
  ctx.log('transition', {
    machine: 'gates',
    entity: 'stage',
    id,
    from: stage,
    to: next,
    event: 'advanceStage',
    by: user,
  })
}

/** Closes the stage at which somebody stands, with all of its keys. */
export function completeStage(ctx: GatesContext, id: string, user: string): void {
  const { stage } = stageOf(ctx.state, id, user)
  const row = stage === null ? undefined : ctx.state.stages.get([id, user, stage])
  if (stage === null || row === undefined) return
  ctx.state.stages.set([id, user, stage], { ...row, completedAt: ctx.now, frozenGates: GATE_KEYS[stage] })
}
