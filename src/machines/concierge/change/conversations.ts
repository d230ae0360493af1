import { PURGE_MS, HISTORY_MAX } from '../facts/concierge-bounds.ts'
import { charts, type ConciergeContext } from '../facts/concierge-schema.ts'
import type { Conversation, EndedBy, Move } from '../facts/rows.ts'
import type { ConciergeEvent } from '../rules/chart.ts'
import { type Place, placeOf } from './place.ts'
import { registrationsOf } from './registrations.ts'

/** Conversations and their charts: made, moved, taken out (domain.md §5.4). */

/** What moved a conversation, and for whom it ended if it did. */
export interface Cause {
  readonly move: Move
  readonly endedBy: EndedBy
}

type Known = Exclude<ConciergeEvent['type'], 'SESSION_END'>

/** A new conversation, which is idle. */
export function begin(ctx: ConciergeContext, contractorId: string, sessionKey: string): Conversation {
  const number = (ctx.state.counters.get('con') ?? 0) + 1
  ctx.state.counters.set('con', number)
  const id = `con-${number}`
  charts.in(ctx).create(id, null)
  ctx.state.conversationsOf.set([contractorId, sessionKey], id)
  armPurge(ctx, id)
  return write(ctx, {
    id,
    contractorId,
    sessionKey,
    turn: 0,
    pendingTurn: null,
    lastMessageAt: null,
    lastTransitionAt: ctx.now,
    transitionSeq: 0,
    endedBy: null,
    lastReply: null,
    history: [],
  })
}

export function write(ctx: ConciergeContext, conversation: Conversation): Conversation {
  ctx.state.conversations.set(conversation.id, conversation)
  return conversation
}

/** Tells the chart of something together with the contractor's registrations, and writes what came of it. */
export function tell(ctx: ConciergeContext, conversation: Conversation, type: Known): Conversation {
  const before = placeOf(ctx.state, conversation.id)
  const registrations = registrationsOf(ctx, conversation.contractorId)
  // What cannot become active any more is not remembered, nor are names: a chart holds what its guards read.
  const read = registrations.flatMap(({ eventId, status, dayStartsAt, startsAt, endsAt, endedAt }) =>
    (endedAt ?? endsAt) > ctx.now ? [{ eventId, status, dayStartsAt, startsAt, endsAt, endedAt }] : [],
  )
  charts.in(ctx).deliver(conversation.id, { type, registrations: read })
  return moved(ctx, conversation, before, { move: type, endedBy: 'user' })
}

/**
 * The same for every conversation of a contractor; returns how many were told. PERF: in idle the chart takes it without a
 * change, so it is not asked.
 */
export function tellAll(ctx: ConciergeContext, contractorId: string, type: Known): number {
  const talking = conversationsOf(ctx, contractorId).filter(({ id }) => placeOf(ctx.state, id).state !== 'idle')
  for (const conversation of talking) tell(ctx, conversation, type)
  return talking.length
}

/** Ends a conversation; one that is idle stays as it is. */
export function end(ctx: ConciergeContext, conversation: Conversation, by: EndedBy): Conversation {
  const before = placeOf(ctx.state, conversation.id)
  charts.in(ctx).deliver(conversation.id, { type: 'SESSION_END' })
  return moved(ctx, conversation, before, { move: 'SESSION_END', endedBy: by })
}

/** Takes a conversation out, with its chart and its timers. */
export function remove(ctx: ConciergeContext, { id, contractorId, sessionKey }: Conversation): void {
  charts.in(ctx).remove(id)
  ctx.cancel('purge', id)
  ctx.state.conversations.delete(id)
  ctx.state.conversationsOf.delete([contractorId, sessionKey])
}

/** Writes what became of a conversation that its chart may have moved: a step is a change of state or of event. */
export function moved(ctx: ConciergeContext, conversation: Conversation, before: Place, cause: Cause): Conversation {
  const { id } = conversation
  const after = placeOf(ctx.state, id)
  if (after.state === before.state && after.eventId === before.eventId) return write(ctx, conversation)
  const ended = after.state === 'idle'
  const seq = conversation.transitionSeq + 1
  const step = { seq, at: ctx.now, from: before.state, to: after.state, event: cause.move, eventId: after.eventId }
  const by = ctx.principal
  ctx.log('transition', {
    machine: 'concierge',
    entity: 'conversation',
    id,
    from: before.state,
    to: after.state,
    event: cause.move,
    by,
  })
  if (ended) {
    // Nobody waits for its answer any more: what a worker still brings is STALE_TASK.
    if (conversation.pendingTurn !== null) ctx.cancelTask(conversation.pendingTurn.taskId)
    armPurge(ctx, id)
  } else ctx.cancel('purge', id)
  const next = write(ctx, {
    ...conversation,
    pendingTurn: ended ? null : conversation.pendingTurn,
    lastTransitionAt: ctx.now,
    transitionSeq: seq,
    endedBy: ended ? cause.endedBy : null,
    history: [...conversation.history, step].slice(-HISTORY_MAX),
  })
  notify(ctx, next, { before, after, cause })
  return next
}

/** The one who writes reads of a new agent in the answer to the message; of one that came without a message here. */
function notify(
  ctx: ConciergeContext,
  { id, contractorId }: Conversation,
  { before, after, cause }: { readonly before: Place; readonly after: Place; readonly cause: Cause },
): void {
  if (after.state === 'idle') ctx.notify(contractorId, 'concierge.session_ended', { id, by: cause.endedBy })
  else if (cause.move !== 'MESSAGE_RECEIVED') {
    const change = { id, from: before.agent, to: after.agent, eventId: after.eventId }
    ctx.notify(contractorId, 'concierge.agent_changed', change)
  }
}

function conversationsOf(ctx: ConciergeContext, contractorId: string): readonly Conversation[] {
  const ids = ctx.state.conversationsOf.range({ prefix: [contractorId], limit: Number.MAX_SAFE_INTEGER })
  return ids.flatMap(([, id]) => ctx.state.conversations.get(id) ?? [])
}

const armPurge = (ctx: ConciergeContext, id: string): void => ctx.schedule('purge', ctx.now + PURGE_MS, null, id)
