import type { TaskHandlers } from '../../../machine/define/define-machine.ts'
import { write } from '../change/conversations.ts'
import { answer, ask, pendingOf } from '../change/turns.ts'
import type { conciergeSchema } from '../facts/concierge-schema.ts'

/**
 * What agents bring, and what happens without them (domain.md §5.6): where the event agent fails the standard one is asked,
 * where that fails too the turn is closed. The state is that of the chart, whoever answers.
 */

type Handlers<Kind extends keyof (typeof conciergeSchema)['tasks']> = TaskHandlers<typeof conciergeSchema, Kind>

export const standardRun: Handlers<'agent.run.standard'> = {
  onResult: (ctx, { taskId, payload }, { reply: text }) => {
    const conversation = pendingOf(ctx, payload.id, taskId)
    if (conversation !== null)
      answer(ctx, conversation, { turn: payload.turn, agent: 'standard', kind: 'ANSWER', text })
    return null
  },
  onFailed: (ctx, { taskId, payload }) => {
    const conversation = pendingOf(ctx, payload.id, taskId)
    if (conversation === null) return
    answer(ctx, conversation, { turn: payload.turn, agent: 'standard', kind: 'UNAVAILABLE', text: null })
  },
}

export const eventRun: Handlers<'agent.run.event'> = {
  onResult: (ctx, { taskId, payload }, { reply: text }) => {
    const conversation = pendingOf(ctx, payload.id, taskId)
    if (conversation !== null) answer(ctx, conversation, { turn: payload.turn, agent: 'event', kind: 'ANSWER', text })
    return null
  },
  onFailed: (ctx, { taskId, payload }) => {
    const conversation = pendingOf(ctx, payload.id, taskId)
    if (conversation === null) return
    const again = ask(ctx, { ...payload, fallback: true })
    write(ctx, { ...conversation, pendingTurn: { turn: payload.turn, taskId: again } })
  },
}
