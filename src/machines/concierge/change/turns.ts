import type { ConciergeContext } from '../facts/concierge-schema.ts'
import type { Conversation, Reply } from '../facts/rows.ts'
import type { Agent, Phase } from '../facts/states.ts'
import { write } from './conversations.ts'

/** Turns: asked once, answered at most once (PC8). */

/** What an agent is asked. */
export type Turn = {
  readonly id: string
  readonly turn: number
  readonly contractorId: string
  readonly text: string
  /** Whose turn it is: that of the state, also where the other one answers for it. */
  readonly agent: Agent
  readonly eventId: string | null
  readonly phase: Phase
  readonly fallback: boolean
}

/** Gives a turn to a worker of its agent's role, and the fallback to one of the standard role. Returns the task. */
export function ask(ctx: ConciergeContext, turn: Turn): string {
  const standard = turn.agent === 'standard' || turn.fallback
  return ctx.task(standard ? 'agent.run.standard' : 'agent.run.event', turn.id, turn)
}

/** The conversation whose open turn this task is; null when the turn was closed since. */
export function pendingOf(ctx: ConciergeContext, id: string, taskId: string): Conversation | null {
  const conversation = ctx.state.conversations.get(id)
  return conversation?.pendingTurn?.taskId === taskId ? conversation : null
}

/** Closes the open turn with its answer. */
export function answer(ctx: ConciergeContext, conversation: Conversation, given: Omit<Reply, 'at'>): void {
  const { id, contractorId } = conversation
  write(ctx, { ...conversation, pendingTurn: null, lastReply: { ...given, at: ctx.now } })
  ctx.notify(contractorId, 'concierge.reply', { id, ...given })
}
