import { cells, type Chapter, rows } from './named-rows.ts'

const STATES = ['idle', 'standard_agent', 'event_agent']
const EVENTS = rows(`
  MESSAGE_RECEIVED
  EVENT_REGISTERED
  EVENT_ENDED
  UPDATE_EVENT_CONTEXT
  SESSION_END
  boundary timer`)

/** Every table of chapter 5 of the design, row by row. */
export const CHAPTER_5: Chapter = {
  folders: ['machines/concierge/'],
  tables: {
    '5.1 what the founding program does wrong': rows(`
      K1 time is the entry’s
      K2 the guard decides both ways
      K3 the agent and the event are kept
      K4 the chart is one of XState 5
      K5 SESSION_END arrives
      K6 what changes an event reaches the guard
      K7 what was opened before is there
      K8 a conversation that was ended stays so
      K9 an event that has ended is not active until midnight
      K10 of events today and tomorrow, today’s
      K11 a day is what was registered
      K12 every event is handled in idle
      K12 every event is handled in standard_agent
      K12 every event is handled in event_agent
      K13 two contractors with one session key
      K14 whoever answers in the place of an agent`),
    '5.3 guards': [
      ...cells(['activeStatus of', 'hasActiveEvent of', 'eventIsLive of', 'eventRecentlyEnded of'], ' ', [
        'registered',
        'checked_in',
        'attending',
        'no_show',
        'cancelled',
        'completed',
      ]),
      ...rows(`
        effectiveEnd: when it was ended
        selection among several active ones: live before not-live, then smallest startsAt, then smallest eventId
        phase: none, today, live, just_ended`),
    ],
    '5.4 state × event': [
      ...cells(STATES, ' × ', EVENTS),
      'SESSION_END in idle answers already',
      'a change of the event alone is a step',
      'UPDATE_EVENT_CONTEXT alone does not route',
    ],
    '5.5 commands': rows(`
      open: get or create by contractor and key
      destroy by the contractor
      destroy by an administrator
      destroy by a stranger
      message by its contractor alone
      message with an event of today
      registerEvent: the same content is a duplicate, other content an update
      updateEventStatus of an unknown registration
      updateEventStatus cancelled is EVENT_ENDED
      updateEventStatus no_show is EVENT_ENDED
      updateEventStatus that is not final keeps the agent
      updateEventContext: name and times
      endEvent: endedAt on every registration of it
      end by the contractor
      end by an administrator
      agent.run: the reply closes the turn, once`),
    '5.5 updateEventStatus, every step': cells(
      ['registered', 'checked_in', 'attending', 'no_show', 'cancelled', 'completed'].map(
        (from) => `updateEventStatus from ${from}`,
      ),
      ' to ',
      ['registered', 'checked_in', 'attending', 'no_show', 'cancelled', 'completed'],
    ),
    '5.5 queries and notifications': rows(`
      state, currentAgent and history are for the contractor
      registrations and audit are for the contractor
      history keeps the last fifty steps
      concierge.reply, concierge.agent_changed and concierge.session_ended
      the transition log says every step`),
    '5.6 timers and fallback': rows(`
      idle time-out: 30 min after the last message
      agent.run: lease 60 s, two attempts, 2 s between them
      task.fail twice of the event agent: one task to agent:standard with fallback
      the fallback fails too: reply UNAVAILABLE
      purge: an idle conversation goes 30 d after its last step
      a client session that expires does not touch the conversation`),
    '5.7 edge cases of the requirement': rows(`
      registers while in standard
      event starts during conversation
      event ends during conversation, by the clock
      event ends during conversation, by endEvent
      multiple events
      event cancelled
      session timeout and restoration
      server restart`),
    '5.8 canonical flow': rows(`
      1 c7 opens
      2 a message
      3 an event of tomorrow
      4 one of today
      5 a message
      6 at 09:30
      7 at 17:00
      8 at 17:05
      9 half an hour later
      10 a message`),
    '5.9 abuse cases': rows(`
      K-1 a message to another contractor’s conversation
      K-2 a second message while a turn is pending
      K-3 a message of no text
      K-3 a message of 4,001 characters
      K-4 a registration with endsAt at startsAt
      K-5 a contractor registers for another one
      K-6 from cancelled to attending
      K-7 endEvent by a contractor
      K-8 the result of an agent after end
      K-9 a raw event
      K-10 endEvent for an event that nobody is registered for`),
    '5.10 properties': rows(`
      PC1
      PC2
      PC3
      PC4
      PC5
      PC6
      PC7
      PC8`),
  },
}
