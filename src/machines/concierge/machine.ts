import { defineMachine } from '../../machine/define/define-machine.ts'
import { destroy, endConversation, message, open } from './commands/conversation-commands.ts'
import { endEvent, registerEvent, updateEventContext, updateEventStatus } from './commands/event-commands.ts'
import { delayed, ended, purge } from './commands/fire-timers.ts'
import { eventRun, standardRun } from './commands/task-results.ts'
import { charts, conciergeSchema } from './facts/concierge-schema.ts'
import { audit, currentAgent, history, registrations, state } from './queries/concierge-queries.ts'

/** A contractor's conversation with an agent: the standard one, or that of an event of today (domain.md §5). */
export const concierge = defineMachine('concierge', conciergeSchema, {
  commands: {
    open,
    destroy,
    message,
    registerEvent,
    updateEventStatus,
    updateEventContext,
    endEvent,
    end: endConversation,
  },
  queries: { state, currentAgent, registrations, history, audit },
  timers: { delayed, purge, ended },
  tasks: { 'agent.run.standard': standardRun, 'agent.run.event': eventRun },
  source: charts.behaviour.source,
})
