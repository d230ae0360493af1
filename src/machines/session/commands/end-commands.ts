import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { gateFactsOf } from '../../gates/facts/gate-facts.ts'
import { factTables } from '../../gates/facts/gates-schema.ts'
import { dialogueOf, otherOf } from '../change/access.ts'
import { abandon, resolveDialogue } from '../change/close.ts'
import { refusedMove } from '../change/move.ts'
import { showDialogue, shownDialogue } from '../change/shown.ts'
import { reason, sid } from '../facts/fields.ts'
import type { SessionContext } from '../facts/session-schema.ts'
import { isClosed } from '../facts/states.ts'
import { resolveRefusal } from '../rules/resolve.ts'

/** How a dialogue ends, and is put away (domain.md §1.3). */

const output = z.object({ session: shownDialogue })

/** Ends an active dialogue with what was agreed; from then on it is there to be read. */
export const resolve = command({ input: sid, output }, (ctx: SessionContext, { sid: id }) => {
  const dialogue = dialogueOf(ctx, id)
  if (isRejection(dialogue)) return dialogue
  const { principal } = ctx
  const partner = otherOf(dialogue, principal)
  const { status: now } = dialogue
  if (now !== 'ACTIVE' || partner === null) return ctx.reject('SESSION_NOT_ACTIVE', { status: now })
  const facts = gateFactsOf(factTables(ctx), id, [principal, partner])
  const refusal = resolveRefusal(facts, principal)
  switch (refusal?.error) {
    case 'GATES_NOT_SATISFIED':
      return ctx.reject('GATES_NOT_SATISFIED', { unsatisfied: refusal.unsatisfied })
    case 'PARTNER_NOT_READY':
      return ctx.reject('PARTNER_NOT_READY', { stage: refusal.stage })
    case 'AGREEMENT_NOT_CONFIRMED':
      return ctx.reject('AGREEMENT_NOT_CONFIRMED', {})
    case undefined: {
      const agreed = facts.agreements.filter(({ status }) => status === 'AGREED').map(({ id: agreement }) => agreement)
      return { session: showDialogue(resolveDialogue(ctx, dialogue, agreed), principal) }
    }
  }
})

/** Leaves a dialogue that is not over. The other one hears that it ended, and not why. */
export const withdraw = command(
  { input: sid.extend({ reason: reason.optional() }), output },
  (ctx: SessionContext, { sid: id }) => {
    const dialogue = dialogueOf(ctx, id)
    if (isRejection(dialogue)) return dialogue
    const refused = refusedMove(dialogue.status, 'withdraw')
    if (refused !== null) return ctx.reject('INVALID_STATE_TRANSITION', refused)
    const closed = abandon(ctx, dialogue, { move: 'withdraw', cause: 'WITHDRAWN', lastActivityAt: ctx.now })
    return { session: showDialogue(closed, ctx.principal) }
  },
)

/** Puts a closed dialogue away, for the issuer alone. */
export const archive = command({ input: sid, output }, (ctx: SessionContext, { sid: id }) => setArchived(ctx, id, true))

/** Takes it out again. */
export const unarchive = command({ input: sid, output }, (ctx: SessionContext, { sid: id }) =>
  setArchived(ctx, id, false),
)

function setArchived(ctx: SessionContext, id: string, archived: boolean) {
  const dialogue = dialogueOf(ctx, id)
  if (isRejection(dialogue)) return dialogue
  const { status, archivedBy } = dialogue
  const { principal } = ctx
  if (!isClosed(status)) {
    const event = archived ? 'archive' : 'unarchive'
    return ctx.reject('INVALID_STATE_TRANSITION', { entity: 'session', from: status, event, allowed: [] })
  }
  const others = archivedBy.filter((member) => member !== principal)
  const changed = { ...dialogue, archivedBy: archived ? [...others, principal].sort() : others }
  ctx.state.dialogues.set(id, changed)
  return { session: showDialogue(changed, principal) }
}
