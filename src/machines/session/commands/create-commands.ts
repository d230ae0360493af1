import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import type { Rejection } from '../../../machine/define/rejection.ts'
import { isPerson } from '../change/access.ts'
import { sentInvitation } from '../change/invite.ts'
import { moveDialogue, writeStatus } from '../change/move.ts'
import { invitedPair, nextNumber, openDialogueOf, peoplePair, relationshipOf } from '../change/pairs.ts'
import { showDialogue, shownDialogue } from '../change/shown.ts'
import { CREATION_TTL_MS } from '../facts/dialogue-bounds.ts'
import { context, id, invitee, tokenSeed } from '../facts/fields.ts'
import { type Dialogue, type Invitation, numberOf } from '../facts/rows.ts'
import type { SessionContext } from '../facts/session-schema.ts'

/** How a dialogue begins (domain.md §1.3). */

type Invitee = z.output<typeof invitee>

/** Anybody begins a dialogue with somebody, by name, address or number; `sendNow` invites in the same entry. */
export const create = command(
  {
    input: z.object({
      invitee,
      tokenSeed,
      context: context.optional(),
      sendNow: z.boolean().default(false),
    }),
    output: z.object({ session: shownDialogue, invitationId: id }),
  },
  (ctx: SessionContext, input) => {
    const { principal } = ctx
    if (!isPerson(principal)) return ctx.reject('FORBIDDEN')
    const refusal = refusedInvitee(ctx, input.invitee)
    if (refusal !== null) return refusal
    const made = firstRow(ctx, input)
    const pair = invitedPair(principal, made.invitation)
    ctx.state.pairs.set(pair, made.id)
    ctx.state.invitations.set(made.invitation.id, made.id)
    const created = writeStatus(ctx, made, { from: null, move: 'create' })
    ctx.state.dialoguesOf.set([principal, numberOf(created.id)], created.id)
    const shown = input.sendNow ? sendInvitation(ctx, created) : created
    if (!input.sendNow) ctx.schedule('creation-ttl', ctx.now + CREATION_TTL_MS, null, created.id)
    return { session: showDialogue(shown, principal), invitationId: made.invitation.id }
  },
)

/** CREATED → INVITED: the invitation goes out. */
export function sendInvitation(ctx: SessionContext, dialogue: Dialogue): Dialogue {
  ctx.cancel('creation-ttl', dialogue.id)
  const invitation = sentInvitation(ctx, dialogue)
  return moveDialogue(ctx, dialogue, { move: 'invite', fields: { invitation, lastActivityAt: ctx.now } })
}

/** The guards of `create`, in their order. */
function refusedInvitee(
  ctx: SessionContext,
  { kind, ref }: Invitee,
): Rejection<'VALIDATION_ERROR' | 'NOT_FOUND' | 'CONFLICT'> | null {
  const { principal } = ctx
  if (kind === 'person') {
    if (ref === principal) return ctx.reject('VALIDATION_ERROR', { field: 'invitee.ref', reason: 'SELF' })
    if (!ctx.state.people.has(ref)) return ctx.reject('NOT_FOUND', { person: ref })
  }
  const invited = openDialogueOf(ctx, invitedPair(principal, { inviteeKind: kind, inviteeRef: ref }))
  const sid = invited ?? (kind === 'person' ? openDialogueOf(ctx, peoplePair(principal, ref)) : null)
  return sid === null ? null : ctx.reject('CONFLICT', { reason: 'ACTIVE_SESSION_EXISTS', sid })
}

/** The dialogue before it was written. Its relationship is the one that this pair, or these people, had before. */
function firstRow(
  ctx: SessionContext,
  input: { readonly invitee: Invitee; readonly tokenSeed: string; readonly context?: string | undefined },
): Dialogue {
  const { now, principal } = ctx
  const invitation = draft(ctx, input)
  const newRelationship = (): string => `rel-${nextNumber(ctx, 'rel')}`
  const invited = invitedPair(principal, invitation)
  const byPeople = input.invitee.kind === 'person' ? peoplePair(principal, input.invitee.ref) : invited
  const relationshipId = relationshipOf(ctx, invited, () => relationshipOf(ctx, byPeople, newRelationship))
  return {
    id: `ses-${nextNumber(ctx, 'ses')}`,
    relationshipId,
    creatorId: principal,
    partnerId: null,
    status: 'CREATED',
    statusSeq: 0,
    statusSince: now,
    createdAt: now,
    updatedAt: now,
    lastActivityAt: now,
    context: input.context === undefined || input.context === '' ? null : input.context,
    invitation,
    pause: null,
    pauseCount: 0,
    resolvedAt: null,
    abandoned: null,
    archivedBy: [],
    msgSeq: 0,
  }
}

function draft(ctx: SessionContext, input: { readonly invitee: Invitee; readonly tokenSeed: string }): Invitation {
  const { kind, ref, name = null } = input.invitee
  const invitationId = `inv-${nextNumber(ctx, 'inv')}`
  return {
    id: invitationId,
    inviteeKind: kind,
    inviteeRef: ref,
    inviteeName: name,
    status: 'DRAFT',
    token: `${invitationId}-${input.tokenSeed}`,
    createdAt: ctx.now,
    sentAt: null,
    expiresAt: null,
    resendCount: 0,
    lastSentAt: null,
    decidedAt: null,
    declineReason: null,
    deliveryFailed: false,
    taskId: null,
  }
}
