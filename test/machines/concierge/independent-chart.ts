import { assign, initialTransition, setup, transition } from 'xstate'
import { MINUTE } from './world.ts'

/**
 * The chart of domain.md §5.3 and §5.4 once more, written from its table and sharing no line with the product's: it has no
 * delays, and whoever steps it says when a boundary or the time-out comes.
 */

/** What of a registration decides. */
export interface Known {
  readonly eventId: string
  readonly status: string
  readonly dayStartsAt: number
  readonly startsAt: number
  readonly endsAt: number
  readonly endedAt: number | null
}

type Told = { readonly t: number; readonly registrations: readonly Known[] }

/** What the table has columns for. */
export type ChartEvent = Told & {
  readonly type:
    | 'MESSAGE_RECEIVED'
    | 'EVENT_REGISTERED'
    | 'EVENT_ENDED'
    | 'UPDATE_EVENT_CONTEXT'
    | 'SESSION_END'
    | 'BOUNDARY'
}

/** When, state, agent, event: one step of a conversation. */
export type Step = readonly [at: number, state: string, agent: string | null, eventId: string | null]

const end = (one: Known): number => (one.endedAt === null ? one.endsAt : one.endedAt)
const takesPart = (one: Known): boolean => !['cancelled', 'no_show', 'completed'].includes(one.status)
const within = (t: number, from: number, to: number): boolean => !(t < from) && t < to

/** All that are active, the one that is selected first. */
function ranked({ t, registrations }: Told): readonly Known[] {
  const sooner = (one: Known): readonly [number, number, string] => [
    within(t, one.startsAt, end(one)) ? 0 : 1,
    one.startsAt,
    one.eventId,
  ]
  return registrations
    .filter((one) => takesPart(one) && within(t, one.dayStartsAt, end(one)))
    .sort((left, right) => {
      const [a, b] = [sooner(left), sooner(right)]
      return a[0] - b[0] || a[1] - b[1] || (a[2] < b[2] ? -1 : 1)
    })
}

const routed = { target: 'routing' } as const
const stays = {} as const
const inConversation = {
  MESSAGE_RECEIVED: routed,
  EVENT_REGISTERED: routed,
  EVENT_ENDED: routed,
  UPDATE_EVENT_CONTEXT: stays,
  SESSION_END: { target: 'idle' },
  BOUNDARY: routed,
} as const

const chart = setup({
  types: {
    context: {} as { agent: string | null; eventId: string | null },
    events: {} as ChartEvent,
  },
  guards: { hasActiveEvent: ({ event }) => ranked(event).length > 0 },
}).createMachine({
  context: { agent: null, eventId: null },
  initial: 'idle',
  states: {
    idle: {
      entry: assign({ agent: null, eventId: null }),
      on: {
        MESSAGE_RECEIVED: routed,
        EVENT_REGISTERED: stays,
        EVENT_ENDED: stays,
        UPDATE_EVENT_CONTEXT: stays,
        SESSION_END: stays,
        BOUNDARY: stays,
      },
    },
    routing: { always: [{ guard: 'hasActiveEvent', target: 'event_agent' }, { target: 'standard_agent' }] },
    standard_agent: { entry: assign({ agent: 'standard', eventId: null }), on: inConversation },
    event_agent: {
      entry: assign({ agent: 'event', eventId: ({ event }) => ranked(event)[0]?.eventId ?? null }),
      on: inConversation,
    },
  },
})

/** A conversation under that chart, with time that passes from one moment of the table to the next. */
export class IndependentConversation {
  /** Every change of state or event. */
  readonly steps: Step[] = []
  private snapshot = initialTransition(chart)[0]
  private registrations: readonly Known[] = []
  private timesOutAt = Number.POSITIVE_INFINITY
  private now: number

  constructor(now: number) {
    this.now = now
  }

  get place(): readonly [state: string, agent: string | null, eventId: string | null] {
    const { value, context } = this.snapshot
    return [String(value), context.agent, context.eventId]
  }

  /** Of a boundary and the time-out that are due at one moment, the conversation ends. */
  passTo(now: number): void {
    for (let moment = this.next(); moment <= now; moment = this.next()) {
      this.now = moment
      this.step(moment === this.timesOutAt ? 'SESSION_END' : 'BOUNDARY')
    }
    this.now = now
  }

  hear(type: ChartEvent['type'], registrations: readonly Known[]): void {
    this.registrations = registrations
    if (type === 'MESSAGE_RECEIVED') this.timesOutAt = this.now + 30 * MINUTE
    this.step(type)
  }

  private next(): number {
    const moments = this.registrations
      .filter((one) => takesPart(one) && end(one) > one.dayStartsAt)
      .flatMap((one) => [one.dayStartsAt, end(one)])
    return Math.min(this.timesOutAt, ...moments.filter((moment) => moment > this.now))
  }

  private step(type: ChartEvent['type']): void {
    const before = this.place
    this.snapshot = transition(chart, this.snapshot, { type, t: this.now, registrations: this.registrations })[0]
    if (type === 'SESSION_END') this.timesOutAt = Number.POSITIVE_INFINITY
    if (JSON.stringify(this.place) !== JSON.stringify(before)) this.steps.push([this.now, ...this.place])
  }
}
