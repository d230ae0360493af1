import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { sessionTables, type DialoguesView } from '../../gates/facts/dialogues.ts'
import { stageOf } from '../../gates/facts/gate-facts.ts'
import { gatesTables } from '../../gates/facts/gates-schema.ts'
import type { Stage } from '../../gates/facts/stages.ts'
import { isMember, membersOf, otherOf } from '../../session/change/access.ts'
import type { DialogueStatus } from '../../session/facts/states.ts'
import type { ReconcilerContext, ReconcilerQueryContext } from '../facts/reconciler-schema.ts'

/** Who may see and do what (domain.md §0.5, checks 4 to 8). */

/** A dialogue, one of its two people, and the other one. */
export interface Place {
  readonly sid: string
  readonly user: string
  readonly partner: string
}

/** The issuer's place in an active dialogue; to everybody but its members there is none. */
export function placeOf(ctx: ReconcilerContext, sid: string): Place | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const place = memberPlace(ctx.read(sessionTables), sid, ctx.principal)
  if (place === null) return ctx.reject('NOT_FOUND', { sid })
  const { status, partner } = place
  if (partner === null || status !== 'ACTIVE') return ctx.reject('SESSION_NOT_ACTIVE', { status })
  // Of a command that is refused after all, nobody hears it.
  ctx.publish('MemberActed', { sid })
  return { sid, user: ctx.principal, partner }
}

/** The same of one who stands at one of these stages. */
export function placeAt(
  ctx: ReconcilerContext,
  sid: string,
  required: readonly Stage[],
): Place | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE' | 'WRONG_STAGE'> {
  const place = placeOf(ctx, sid)
  if (isRejection(place)) return place
  return refusedStage(ctx, place, required) ?? place
}

/** Null for one who stands at one of the stages. */
export function refusedStage(
  ctx: ReconcilerContext,
  { sid, user }: Place,
  required: readonly Stage[],
): Rejection<'WRONG_STAGE'> | null {
  const { stage } = stageOf(ctx.read(gatesTables), sid, user)
  if (stage !== null && required.includes(stage)) return null
  return ctx.reject('WRONG_STAGE', { required, actual: stage })
}

/** Where a query looks from. Closed dialogues are there to be read. */
export interface ViewedPlace extends Place {
  readonly stage: Stage
}

/** The viewer's place, which may be asked for from outside any session. */
export function viewedPlaceOf(
  context: ReconcilerQueryContext,
  sid: string,
): ViewedPlace | Rejection<'UNAUTHENTICATED' | 'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const user = context.session?.principal
  if (user === undefined) return context.reject('UNAUTHENTICATED')
  const place = memberPlace(context.read(sessionTables), sid, user)
  if (place === null) return context.reject('NOT_FOUND', { sid })
  const { stage } = stageOf(context.read(gatesTables), sid, user)
  // Before both are there nobody has entered a stage, and there is nothing to be read.
  if (place.partner === null || stage === null) return context.reject('SESSION_NOT_ACTIVE', { status: place.status })
  return { sid, user, partner: place.partner, stage }
}

/** The two people of a dialogue that was ever active, whatever became of it; null where there are none. */
export function peopleOf(view: Pick<DialoguesView, 'dialogues'>, sid: string): readonly [string, string] | null {
  const dialogue = view.dialogues.get(sid)
  const [one, other] = dialogue === undefined ? [] : membersOf(dialogue)
  return one === undefined || other === undefined ? null : [one, other]
}

function memberPlace(
  view: Pick<DialoguesView, 'dialogues'>,
  sid: string,
  user: string,
): { readonly partner: string | null; readonly status: DialogueStatus } | null {
  const dialogue = view.dialogues.get(sid)
  if (dialogue === undefined || !isMember(dialogue, user)) return null
  return { partner: otherOf(dialogue, user), status: dialogue.status }
}
