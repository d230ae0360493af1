import { InvariantError } from '../../../session/run/engine-error.ts'
import { AUDIT_KEPT_MAX, INACTIVITY_MS } from '../facts/dialogue-bounds.ts'
import type { Dialogue } from '../facts/rows.ts'
import type { SessionContext } from '../facts/session-schema.ts'
import { DIALOGUE_TRANSITIONS, type AbandonCause, type DialogueMove, type DialogueStatus } from '../facts/states.ts'

/** A change of a dialogue's status, and what changes with it. */
interface Move {
  readonly move: DialogueMove
  readonly cause?: AbandonCause
  readonly fields: Partial<Dialogue>
}

/** Details of INVALID_STATE_TRANSITION for a command that its table refuses; null where it allows it. */
export function refusedMove(status: DialogueStatus, move: DialogueMove) {
  const next = DIALOGUE_TRANSITIONS.next(status, move)
  return next.ok ? null : next.error
}

/** Moves a dialogue by its table and writes it with its audit record. The guards came before: what does not fit is a bug. */
export function moveDialogue(ctx: SessionContext, dialogue: Dialogue, { move, cause, fields }: Move): Dialogue {
  const next = DIALOGUE_TRANSITIONS.next(dialogue.status, move)
  if (!next.ok) throw new InvariantError(`${dialogue.id} is ${dialogue.status}, which ${move} does not leave`)
  const moved: Dialogue = { ...dialogue, ...fields, status: next.value }
  return writeStatus(ctx, moved, { from: dialogue.status, move, ...(cause === undefined ? {} : { cause }) })
}

/** Writes a dialogue whose status is new: `statusSeq`, times, audit (domain.md §1.8) and log. */
export function writeStatus(
  ctx: SessionContext,
  dialogue: Dialogue,
  {
    from,
    move,
    cause = null,
  }: {
    readonly from: DialogueStatus | null
    readonly move: DialogueMove | 'create'
    readonly cause?: AbandonCause | null
  },
): Dialogue {
  const { now, index, principal: by, session } = ctx
  const timer = by === 'system'
  const written = { ...dialogue, statusSeq: dialogue.statusSeq + 1, statusSince: now, updatedAt: now }
  assertDialogue(written)
  ctx.state.dialogues.set(written.id, written)
  ctx.state.audit.set([written.id, written.statusSeq], {
    at: now,
    from,
    to: written.status,
    by,
    cause,
    session: timer ? null : session.id,
    index,
  })
  ctx.state.audit.delete([written.id, written.statusSeq - AUDIT_KEPT_MAX])
  ctx.log('transition', {
    machine: 'session',
    entity: 'session',
    id: written.id,
    from,
    to: written.status,
    event: move,
    by,
  })
  return written
}

/** Notes that one of the two did something: the dialogue is not idle. Writes it. */
export function touch(ctx: SessionContext, dialogue: Dialogue): Dialogue {
  const touched = { ...dialogue, lastActivityAt: ctx.now, updatedAt: ctx.now }
  ctx.state.dialogues.set(dialogue.id, touched)
  if (touched.status === 'ACTIVE') ctx.schedule('inactivity', ctx.now + INACTIVITY_MS, null, dialogue.id)
  return touched
}

/** The invariants L-I1 to L-I3 and L-I7 of domain.md §1.1; L-I4 is kept by the keys of `pairs`. */
export function assertDialogue(dialogue: Dialogue): void {
  const { id, status, partnerId, creatorId, pause, invitation } = dialogue
  const broken = (what: string): never => {
    throw new InvariantError(`${id} is ${status} ${what}`)
  }
  const joined = status === 'ACTIVE' || status === 'PAUSED' || status === 'RESOLVED'
  if (joined && (partnerId === null || invitation.status !== 'ACCEPTED')) broken('without a partner who accepted')
  if ((status === 'CREATED' || status === 'INVITED') && partnerId !== null) broken('with a partner')
  if ((pause !== null) !== (status === 'PAUSED')) broken(pause === null ? 'without a pause' : 'with a pause')
  const awaited = { CREATED: 'DRAFT', INVITED: 'PENDING', ACTIVE: 'ACCEPTED', PAUSED: 'ACCEPTED', RESOLVED: 'ACCEPTED' }
  if (status !== 'ABANDONED' && invitation.status !== awaited[status]) broken(`with an invitation ${invitation.status}`)
  if (status === 'ABANDONED' && (invitation.status === 'DRAFT' || invitation.status === 'PENDING')) {
    broken(`with an invitation ${invitation.status}`)
  }
  if (partnerId === creatorId) broken('with itself')
}
