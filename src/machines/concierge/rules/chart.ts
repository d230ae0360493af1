import { assign, setup } from 'xstate'
import { IDLE_MS } from '../facts/concierge-bounds.ts'
import { nextBoundary, type RegisteredEvent, selectedEvent } from './guards.ts'

/** What a conversation's chart remembers. */
export interface ConciergeMemory {
  /** The contractor's registrations whose event can still be active, as of the last event that brought them. */
  readonly registrations: readonly RegisteredEvent[]
  /** The event that it answers for; null in every other state than event_agent. */
  readonly eventId: string | null
  readonly lastMessageAt: number | null
  /** When it was routed last; null for never. */
  readonly routedAt: number | null
}

/** `now` is the log's time, which the adapter fills in; nothing here has a clock. */
type Knowing = { readonly now: number; readonly registrations: readonly RegisteredEvent[] }

/** What moves a conversation. */
export type ConciergeEvent =
  | ({ readonly type: 'MESSAGE_RECEIVED' } & Knowing)
  | ({ readonly type: 'EVENT_REGISTERED' } & Knowing)
  | ({ readonly type: 'EVENT_ENDED' } & Knowing)
  | ({ readonly type: 'UPDATE_EVENT_CONTEXT' } & Knowing)
  | { readonly type: 'SESSION_END'; readonly now: number }

/** Where no boundary comes. The conversation is idle before: its time-out is shorter and armed together with this. */
const NEVER_MS = 2 * IDLE_MS

/**
 * The chart of domain.md §5.4. `routing` is left by eventless transitions, so nobody ever observes it. A boundary (the day of
 * an event begins, an event ends) and the idle time-out are delays, armed anew whenever an agent's state is entered.
 * `UPDATE_EVENT_CONTEXT` enters it again, because what it brings may move the boundary, and does not route.
 */
export const conciergeChart = setup({
  types: {
    context: {} as ConciergeMemory,
    events: {} as ConciergeEvent,
  },
  guards: {
    hasActiveEvent: ({ context, event }) => selectedEvent(context.registrations, event.now) !== null,
  },
  actions: {
    know: assign(({ event }) => ('registrations' in event ? { registrations: event.registrations } : {})),
    heard: assign({ lastMessageAt: ({ event }) => event.now }),
    choose: assign(({ context, event }) => ({
      eventId: selectedEvent(context.registrations, event.now)?.eventId ?? null,
      routedAt: event.now,
    })),
    forget: assign({ eventId: null, registrations: [] }),
  },
  delays: {
    idle: ({ context, event }) => Math.max(0, (context.lastMessageAt ?? event.now) + IDLE_MS - event.now),
    boundary: ({ context, event }) => {
      const next = nextBoundary(context.registrations, event.now)
      return next === null ? NEVER_MS : next - event.now
    },
  },
}).createMachine({
  id: 'concierge',
  initial: 'idle',
  context: { registrations: [], eventId: null, lastMessageAt: null, routedAt: null },
  states: {
    idle: {
      entry: 'forget',
      on: {
        MESSAGE_RECEIVED: { target: 'routing', actions: ['know', 'heard'] },
        EVENT_REGISTERED: {},
        EVENT_ENDED: {},
        UPDATE_EVENT_CONTEXT: {},
        SESSION_END: {},
      },
    },
    routing: {
      always: [
        { guard: 'hasActiveEvent', target: 'event_agent', actions: 'choose' },
        { target: 'standard_agent', actions: 'choose' },
      ],
    },
    standard_agent: {
      on: {
        MESSAGE_RECEIVED: { target: 'routing', actions: ['know', 'heard'] },
        EVENT_REGISTERED: { target: 'routing', actions: 'know' },
        EVENT_ENDED: { target: 'routing', actions: 'know' },
        UPDATE_EVENT_CONTEXT: { target: 'standard_agent', reenter: true, actions: 'know' },
        SESSION_END: 'idle',
      },
      // In this order: of two that are due at one moment the conversation ends, and is not routed once more before.
      after: { idle: 'idle', boundary: 'routing' },
    },
    event_agent: {
      on: {
        MESSAGE_RECEIVED: { target: 'routing', actions: ['know', 'heard'] },
        EVENT_REGISTERED: { target: 'routing', actions: 'know' },
        EVENT_ENDED: { target: 'routing', actions: 'know' },
        UPDATE_EVENT_CONTEXT: { target: 'event_agent', reenter: true, actions: 'know' },
        SESSION_END: 'idle',
      },
      after: { idle: 'idle', boundary: 'routing' },
    },
  },
})
