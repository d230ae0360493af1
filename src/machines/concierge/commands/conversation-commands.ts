import { z } from 'zod'
import { command } from '../../../machine/define/command.ts'
import { isRejection } from '../../../machine/define/rejection.ts'
import { actsFor, conversationOf, isAdmin } from '../change/access.ts'
import { begin, end, remove, tell, write } from '../change/conversations.ts'
import { placeOf } from '../change/place.ts'
import { registrationsOf } from '../change/registrations.ts'
import { ask } from '../change/turns.ts'
import { CONVERSATIONS_MAX } from '../facts/concierge-bounds.ts'
import type { ConciergeContext } from '../facts/concierge-schema.ts'
import { contractorId, conversation, messageText, sessionKey } from '../facts/fields.ts'
import { type Agent, AGENTS, CONCIERGE_STATES, PHASES } from '../facts/states.ts'
import { phaseOf } from '../rules/guards.ts'

/** What the one who writes, and administrators, do with conversations (domain.md §5.5). */

const opened = z.object({
  id: z.string(),
  state: z.enum(CONCIERGE_STATES),
  currentAgent: z.enum(AGENTS).nullable(),
  eventId: z.string().nullable(),
  /** It was there already. */
  restored: z.boolean(),
})

/** The conversation of a contractor under a key: a new one, or the one that is there, in its state. */
export const open = command(
  { input: z.object({ contractorId, sessionKey }), output: opened },
  (ctx: ConciergeContext, input) => {
    const { contractorId: contractor, sessionKey: key } = input
    if (!actsFor(ctx.principal, contractor)) return ctx.reject('FORBIDDEN', { contractorId: contractor })
    const known = ctx.state.conversationsOf.get([contractor, key])
    if (known === undefined && ctx.state.conversationsOf.count({ prefix: [contractor] }) >= CONVERSATIONS_MAX) {
      return ctx.reject('CONFLICT', { reason: 'TOO_MANY_CONVERSATIONS', max: CONVERSATIONS_MAX })
    }
    const id = known ?? begin(ctx, contractor, key).id
    const { state, agent, eventId } = placeOf(ctx.state, id)
    return { id, state, currentAgent: agent, eventId, restored: known !== undefined }
  },
)

/** Ends it, and takes it out at once. */
export const destroy = command({ input: conversation, output: conversation }, (ctx: ConciergeContext, { id }) => {
  const found = conversationOf(ctx, id)
  if (isRejection(found)) return found
  remove(ctx, end(ctx, found, byWhom(ctx)))
  return { id }
})

/** One turn: who answers is in the response, what in the notification `concierge.reply`. */
export const message = command(
  {
    input: conversation.extend({ text: messageText }),
    output: z.object({
      agent: z.enum(AGENTS),
      eventId: z.string().nullable(),
      phase: z.enum(PHASES),
      turn: z.int().min(1),
    }),
  },
  (ctx: ConciergeContext, { id, text }) => {
    const found = conversationOf(ctx, id)
    if (isRejection(found)) return found
    if (found.contractorId !== ctx.principal) return ctx.reject('FORBIDDEN', { id })
    if (found.pendingTurn !== null) return ctx.reject('TURN_IN_PROGRESS', { turn: found.pendingTurn.turn })
    const turn = found.turn + 1
    const routed = tell(ctx, { ...found, turn, lastMessageAt: ctx.now }, 'MESSAGE_RECEIVED')
    const { state, eventId } = placeOf(ctx.state, id)
    const agent: Agent = state === 'event_agent' ? 'event' : 'standard'
    const phase = phaseOf(registrationsOf(ctx, found.contractorId), { state, eventId, now: ctx.now })
    const taskId = ask(ctx, {
      id,
      turn,
      contractorId: found.contractorId,
      text,
      agent,
      eventId,
      phase,
      fallback: false,
    })
    write(ctx, { ...routed, pendingTurn: { turn, taskId } })
    return { agent, eventId, phase, turn }
  },
)

/** Ends it: idle, and its turn is not answered any more. The next message begins anew. */
export const endConversation = command(
  { input: conversation, output: conversation.extend({ already: z.boolean() }) },
  (ctx: ConciergeContext, { id }) => {
    const found = conversationOf(ctx, id)
    if (isRejection(found)) return found
    const already = placeOf(ctx.state, id).state === 'idle'
    end(ctx, found, byWhom(ctx))
    return { id, already }
  },
)

const byWhom = ({ principal }: ConciergeContext): 'admin' | 'user' => (isAdmin(principal) ? 'admin' : 'user')
