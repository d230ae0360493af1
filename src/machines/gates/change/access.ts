import type { Rejection } from '../../../machine/define/rejection.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { isMember, otherOf } from '../../session/change/access.ts'
import type { Dialogue } from '../../session/facts/rows.ts'
import { sessionTables, type DialoguesView } from '../facts/dialogues.ts'
import { presentStage, stageOf } from '../facts/gate-facts.ts'
import {
  gatesTables,
  type GatesContext,
  type GatesQueryContext,
  type GatesView,
  type TableReader,
} from '../facts/gates-schema.ts'
import { NEW_DIALOGUE } from '../facts/rows.ts'
import { FIRST_STAGE, type Stage } from '../facts/stages.ts'

/** Who may see and do what (domain.md §0.5, checks 4 to 8). */

/** Where a command or query takes place: a dialogue, one of its two people, and the other one. */
export interface Place {
  readonly sid: string
  readonly dialogue: Dialogue
  readonly user: string
  readonly partner: string
}

/** A place whose dialogue is active, and the stage at which the issuer stands. */
export interface StagedPlace extends Place {
  readonly stage: Stage
}

/** The dialogue, if it has that member. One row is read whether there is none or it is another's: the time tells nothing. */
export function dialogueOfMember(view: Pick<DialoguesView, 'dialogues'>, sid: string, member: string): Dialogue | null {
  const dialogue = view.dialogues.get(sid)
  return dialogue !== undefined && isMember(dialogue, member) ? dialogue : null
}

/** Where a member stands in a dialogue; without a partner before the acceptance. */
export interface Standing {
  readonly dialogue: Dialogue
  readonly partner: string | null
  readonly stage: Stage
}

/** Where somebody stands, for whatever machine asks; null for whoever is no member. */
export function standingOf(reader: TableReader, sid: string, user: string): Standing | null {
  const dialogue = dialogueOfMember(reader.read(sessionTables), sid, user)
  if (dialogue === null) return null
  return { dialogue, partner: otherOf(dialogue, user), stage: presentStage(reader.read(gatesTables), sid, user) }
}

/** The issuer's place in a dialogue of whatever status; to everybody else there is none. */
export function placeOf(ctx: GatesContext, sid: string): Place | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  return placeFor(ctx, sid, ctx.principal)
}

/** The place of one of its members, for whom somebody else may act. */
function placeFor(ctx: GatesContext, sid: string, user: string): Place | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const dialogue = dialogueOfMember(ctx.read(sessionTables), sid, user)
  if (dialogue === null) return ctx.reject('NOT_FOUND', { sid })
  const partner = otherOf(dialogue, user)
  if (partner === null) return ctx.reject('SESSION_NOT_ACTIVE', { status: dialogue.status })
  // Of a command that is refused after all, nobody hears it.
  if (user === ctx.principal) ctx.publish('MemberActed', { sid })
  return { sid, dialogue, user, partner }
}

/** The same of an active dialogue. */
export function activePlaceOf(
  ctx: GatesContext,
  sid: string,
  user: string = ctx.principal,
): StagedPlace | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const place = placeFor(ctx, sid, user)
  if (isRejection(place)) return place
  const { status } = place.dialogue
  if (status !== 'ACTIVE') return ctx.reject('SESSION_NOT_ACTIVE', { status })
  const { stage } = stageOf(ctx.state, sid, user)
  // Both came together before this machine was there, and nobody has done anything here yet.
  if (stage === null) enterFirst(ctx, sid, [user, place.partner])
  return { ...place, stage: stage ?? FIRST_STAGE }
}

/** Both stand at the first stage, and nothing has been done. */
export function enterFirst(ctx: GatesContext, sid: string, users: readonly string[]): void {
  ctx.state.dialogues.set(sid, NEW_DIALOGUE)
  for (const user of users) {
    ctx.state.stages.set([sid, user, FIRST_STAGE], { startedAt: ctx.now, completedAt: null, frozenGates: null })
  }
}

/** The same at one of the stages that a command needs. */
export function placeAt(
  ctx: GatesContext,
  sid: string,
  required: readonly Stage[],
): StagedPlace | Rejection<'NOT_FOUND' | 'SESSION_NOT_ACTIVE' | 'WRONG_STAGE'> {
  const place = activePlaceOf(ctx, sid)
  return isRejection(place) ? place : (refusedStage(ctx, place, required) ?? place)
}

/**
 * What a command says to somebody who stands elsewhere. One that may be a repeat looks for that first (domain.md §0.5, 6
 * before 8): whoever repeats it may have gone on.
 */
export function refusedStage(
  ctx: GatesContext,
  { stage }: StagedPlace,
  required: readonly Stage[],
): Rejection<'WRONG_STAGE'> | null {
  return required.includes(stage) ? null : ctx.reject('WRONG_STAGE', { required, actual: stage })
}

/** Where a query looks from: closed dialogues are there to be read. */
export interface ViewedPlace extends Place {
  readonly view: GatesView
  readonly stage: Stage
}

/** The viewer's place, which may be asked for from outside any session. */
export function viewedPlaceOf(
  view: GatesView,
  context: GatesQueryContext,
  sid: string,
): ViewedPlace | Rejection<'UNAUTHENTICATED' | 'NOT_FOUND' | 'SESSION_NOT_ACTIVE'> {
  const user = context.session?.principal
  if (user === undefined) return context.reject('UNAUTHENTICATED')
  const standing = standingOf(context, sid, user)
  if (standing === null) return context.reject('NOT_FOUND', { sid })
  const { dialogue, partner, stage } = standing
  // Before both are there nobody has entered a stage, and there is nothing to be read.
  if (partner === null) return context.reject('SESSION_NOT_ACTIVE', { status: dialogue.status })
  return { sid, dialogue, user, partner, view, stage }
}
