import { DAY_MS, HOUR_MS } from '../../../base/time.ts'
import { textField } from '../../payments/outcome.ts'
import type { Flow, Stage } from '../flow.ts'

/**
 * The canonical flow of the machine concierge (domain.md §5.8). Nothing waits for a clock: where the design lets hours pass the
 * event is moved or ended, and the conversation is ended where it would be timed out.
 */
export const conciergeFlow: Flow = {
  title: 'A conversation that the right agent answers',
  cast: {
    cora: { principal: 'user:cora', roles: [], is: 'a contractor: she asks' },
    ada: { principal: 'admin:ada', roles: [], is: 'an administrator: she registers contractors for events' },
    desk: { principal: 'worker:desk', roles: ['agent:standard'], is: 'a worker: the standard agent' },
    guide: { principal: 'worker:guide', roles: ['agent:event'], is: 'another worker: the agent of events' },
  },
  last: 'concierge.registrations',
  play: async (stage) => {
    const id = await begin(stage)
    const registration = await register(stage, id)
    await visit(stage, id, registration)
    await leave(stage, id, registration)
  },
}

/** A contractor's registration for the event of today. */
interface Registration {
  readonly contractorId: string
  readonly eventId: string
}

type Turn = {
  readonly turn: number
  readonly agent: 'standard' | 'event'
  readonly phase: string
  readonly says: string
  readonly reply: string
}

/** A message, the turn of its agent, and the reply. */
async function talk(stage: Stage, id: string, { turn, agent, phase, says, reply }: Turn): Promise<void> {
  await stage.act('cora', 'concierge.message', { id, text: says }, { gives: { agent, phase, turn } })
  const told = { cora: [['concierge.reply', { turn, agent, text: reply }] as const] }
  await stage.work(agent === 'event' ? 'guide' : 'desk', `agent.run.${agent}`, { reply }, { told })
}

async function begin(stage: Stage): Promise<string> {
  stage.scene('1', 'Cora opens a conversation. Nobody answers in it before she says something.')
  const contractorId = stage.principal('cora')
  const opened = await stage.act(
    'cora',
    'concierge.open',
    { contractorId, sessionKey: 'web' },
    {
      gives: { state: 'idle', restored: false },
      shows: ['id'],
    },
  )
  const id = textField(opened, 'id') ?? ''
  await stage.ask('cora', 'concierge.currentAgent', { id }, { gives: null })

  stage.scene('2', 'She writes. The cluster gives the turn to the standard agent, and she is told the reply.')
  const turn = { turn: 1, agent: 'standard', phase: 'none' } as const
  await talk(stage, id, { ...turn, says: 'Good morning!', reply: 'Good morning, Cora.' })
  return id
}

async function register(stage: Stage, id: string): Promise<Registration> {
  stage.scene('3', 'Ada registers her for an event of tomorrow. That changes nothing today.')
  const contractorId = stage.principal('cora')
  const day = { dayStartsAt: stage.now - 8 * HOUR_MS, dayEndsAt: stage.now + 16 * HOUR_MS }
  const tomorrow = {
    contractorId,
    eventId: stage.unique('course'),
    name: 'A course',
    dayStartsAt: day.dayStartsAt + DAY_MS,
    startsAt: stage.now + DAY_MS + HOUR_MS,
    endsAt: stage.now + DAY_MS + 2 * HOUR_MS,
    dayEndsAt: day.dayEndsAt + DAY_MS,
  }
  await stage.act('ada', 'concierge.registerEvent', tomorrow, { gives: { duplicate: false } })
  await stage.ask('cora', 'concierge.currentAgent', { id }, { gives: 'standard' })

  stage.scene('4', 'And for one of today. Its agent answers from now on, and Cora is told so.')
  const registration = { contractorId, eventId: stage.unique('fair') }
  const today = { name: 'A fair', ...day, startsAt: stage.now + HOUR_MS, endsAt: stage.now + 2 * HOUR_MS }
  await stage.act(
    'ada',
    'concierge.registerEvent',
    { ...registration, ...today },
    {
      gives: { duplicate: false },
      told: { cora: [['concierge.agent_changed', { from: 'standard', to: 'event', eventId: registration.eventId }]] },
    },
  )
  return registration
}

async function visit(stage: Stage, id: string, registration: Registration): Promise<void> {
  stage.scene('5', 'She writes again: the agent of the event answers, which is today.')
  const today = { turn: 2, agent: 'event', phase: 'today' } as const
  await talk(stage, id, { ...today, says: 'Where is it?', reply: 'In the hall.' })

  stage.scene('6', 'The event turns out to be earlier, and has begun: it is live.')
  const earlier = { ...registration, startsAt: stage.now - HOUR_MS }
  await stage.act('ada', 'concierge.updateEventContext', earlier, { gives: { duplicate: false } })
  const live = { turn: 3, agent: 'event', phase: 'live' } as const
  await talk(stage, id, { ...live, says: 'Has it begun?', reply: 'It has.' })
}

async function leave(stage: Stage, id: string, { eventId }: Registration): Promise<void> {
  stage.scene('7', 'Ada ends it, before its time. The standard agent takes over.')
  await stage.act(
    'ada',
    'concierge.endEvent',
    { eventId },
    {
      gives: { registrations: 1 },
      told: { cora: [['concierge.agent_changed', { from: 'event', to: 'standard', eventId: null }]] },
    },
  )

  stage.scene('8', 'The standard agent knows that an event has just ended.')
  const over = { turn: 4, agent: 'standard', phase: 'just_ended' } as const
  await talk(stage, id, { ...over, says: 'That was nice.', reply: 'Good to hear.' })

  stage.scene('9', 'The conversation ends; half an hour of silence would have ended it, too.')
  await stage.act(
    'ada',
    'concierge.end',
    { id },
    {
      gives: { already: false },
      told: { cora: [['concierge.session_ended', { by: 'admin' }]] },
    },
  )
  await stage.ask('cora', 'concierge.currentAgent', { id }, { gives: null })

  stage.scene('10', 'It was never lost: her next message goes on, with turn 5.')
  const again = { turn: 5, agent: 'standard', phase: 'just_ended' } as const
  await talk(stage, id, { ...again, says: 'One more thing.', reply: 'Yes?' })
}
