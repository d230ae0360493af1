import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { standingOf } from '../../gates/change/access.ts'
import type { DialoguesView } from '../../gates/facts/dialogues.ts'
import type { Stage } from '../../gates/facts/stages.ts'
import { membersOf } from '../../session/change/access.ts'
import type { ReconcilerContext, ReconcilerQueryContext } from '../facts/reconciler-schema.ts'

/** Who may see and do what (domain.md §0.5, checks 4 to 8). */

/** A dialogue, one of its two people, at which stage, and the other one. */
export interface Place {
  readonly sid: string
  readonly user: string
  readonly partner: string
  readonly stage: Stage
}

/** The issuer's place in an active dialogue; to everybody but its members there is none. */
export function placeOf(ctx: ReconcilerContext, sid: string): Place | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const { principal: user } = ctx
  const standing = standingOf(ctx, sid, user)
  if (standing === null) return ctx.reject('NOT_FOUND', { sid })
  const { dialogue, partner, stage } = standing
  const { status } = dialogue
  if (partner === null || status !== 'ACTIVE') return ctx.reject('SESSION_NOT_ACTIVE', { status })
  // Of a command that is refused after all, nobody hears it.
  ctx.publish('MemberActed', { sid })
  return { sid, user, partner, stage }
}

/** The same of one who stands at one of these stages. */
export function placeAt(
  ctx: ReconcilerContext,
  sid: string,
  required: readonly Stage[],
): Place | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE' | 'WRONG_STAGE'> {
  const place = placeOf(ctx, sid)
  return isRejection(place) ? place : (refusedStage(ctx, place, required) ?? place)
}

/** Null for one who stands at one of the stages. */
export const refusedStage = (
  ctx: ReconcilerContext,
  { stage }: Place,
  required: readonly Stage[],
): Rejection<'WRONG_STAGE'> | null =>
  required.includes(stage) ? null : ctx.reject('WRONG_STAGE', { required, actual: stage })

/** The viewer's place, which may be asked for from outside any session. Closed dialogues are there to be read. */
export function viewedPlaceOf(
  context: ReconcilerQueryContext,
  sid: string,
): Place | Rejection<'UNAUTHENTICATED' | 'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const user = context.session?.principal
  if (user === undefined) return context.reject('UNAUTHENTICATED')
  const standing = standingOf(context, sid, user)
  if (standing === null) return context.reject('NOT_FOUND', { sid })
  const { dialogue, partner, stage } = standing
  // Before both are there, there is nothing to be read.
  if (partner === null) return context.reject('SESSION_NOT_ACTIVE', { status: dialogue.status })
  return { sid, user, partner, stage }
}

/** The two people of a dialogue that was ever active, whatever became of it; null where there are none. */
export function peopleOf(view: Pick<DialoguesView, 'dialogues'>, sid: string): readonly [string, string] | null {
  const dialogue = view.dialogues.get(sid)
  const [one, other] = dialogue === undefined ? [] : membersOf(dialogue)
  return one === undefined || other === undefined ? null : [one, other]
}
