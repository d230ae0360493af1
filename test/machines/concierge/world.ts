import type { Value } from '../../../src/codec/value/value.ts'
import { concierge, type ConciergeState } from '../../../src/machines/index.ts'
import { type HarnessSession, machineHarness } from '../../../src/testing/index.ts'

export const C7 = 'user:c7'
export const D8 = 'user:d8'
export const ADMIN = 'admin:ada'
export const STANDARD = 'worker:standard'
export const EVENT = 'worker:event'

export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** A midnight; worlds begin at eight. */
export const MIDNIGHT = 20_000 * DAY
export const EIGHT = MIDNIGHT + 8 * HOUR

export type Answer = { readonly [key: string]: Value }
export type Told = readonly [topic: string, body: Answer]

/** An event of a day, from hour to hour of it, with the whole day around it. */
export const times = (from: number, to: number, day = 0): Answer => ({
  dayStartsAt: MIDNIGHT + day * DAY,
  startsAt: MIDNIGHT + day * DAY + from * HOUR,
  endsAt: MIDNIGHT + day * DAY + to * HOUR,
  dayEndsAt: MIDNIGHT + (day + 1) * DAY,
})

const ROLES: { readonly [principal: string]: readonly string[] } = {
  [STANDARD]: ['agent:standard'],
  [EVENT]: ['agent:event'],
}

/** The machine concierge under the real session layer, with two contractors, an administrator and, if wanted, agents. */
export class World {
  readonly harness
  private readonly sessions = new Map<string, HarnessSession<readonly [typeof concierge]>>()

  constructor({ agents = true }: { readonly agents?: boolean } = {}) {
    // PERF: what a machine may not use is looked for by checkMachine; here it would double the time.
    this.harness = machineHarness([concierge] as const, { guard: false, nowMs: EIGHT })
    for (const principal of [C7, D8, ADMIN, ...(agents ? [STANDARD, EVENT] : [])]) this.of(principal)
  }

  of(principal: string): HarnessSession<readonly [typeof concierge]> {
    const known = this.sessions.get(principal)
    const session = known ?? this.harness.session(principal, { roles: ROLES[principal] ?? [] })
    this.sessions.set(principal, session)
    return session
  }

  get now(): number {
    return this.harness.now
  }

  /** Lets time pass until then. */
  at(ms: number): this {
    this.harness.advance(ms - this.now)
    return this
  }

  send(by: string, name: string, input: Answer = {}): { code: string; value: Answer } {
    const outcome = this.of(by).execute('concierge', name, input)
    if (outcome.kind === 'ok') return { code: 'ok', value: outcome.value as Answer }
    return { code: outcome.code, value: outcome.details as Answer }
  }

  ok(by: string, name: string, input: Answer = {}): Answer {
    const { code, value } = this.send(by, name, input)
    if (code !== 'ok') throw new Error(`${name} of ${by} was refused: ${code} ${JSON.stringify(value)}`)
    return value
  }

  code(by: string, name: string, input: Answer = {}): string {
    return this.send(by, name, input).code
  }

  ask(by: string, name: string, input: Answer): { code: string; value: Value } {
    const outcome = this.of(by).query('concierge', name, input)
    return outcome.kind === 'ok' ? { code: 'ok', value: outcome.value } : { code: outcome.code, value: outcome.details }
  }

  told(principal: string): readonly Told[] {
    const session = this.of(principal)
    const notes = session.requests.flatMap(({ payload }) => {
      const { topic, body } = payload as { topic?: string; body?: Answer }
      return topic === undefined ? [] : [[topic, body ?? {}] as const]
    })
    session.acknowledge()
    return notes
  }

  topics = (principal: string): readonly string[] => this.told(principal).map(([topic]) => topic)

  /** A conversation as its contractor reads it. */
  state(id = 'con-1', by = C7): Answer {
    return this.ask(by, 'state', { id }).value as Answer
  }

  place(id = 'con-1', by = C7): readonly [Value, Value] {
    const { state = null, eventId = null } = this.state(id, by)
    return [state, eventId]
  }

  steps(id = 'con-1'): readonly Answer[] {
    return this.ask(ADMIN, 'history', { id }).value as readonly Answer[]
  }

  open(sessionKey = 'k', contractorId = C7): string {
    return String(this.ok(contractorId, 'open', { contractorId, sessionKey })['id'])
  }

  register(eventId: string, when: Answer, fields: Answer = {}): Answer {
    return this.ok(ADMIN, 'registerEvent', { contractorId: C7, eventId, name: `the ${eventId}`, ...when, ...fields })
  }

  /** The open tasks of agents. */
  get runs() {
    return this.harness.tasks.filter(({ kind }) => kind.startsWith('agent.run.'))
  }

  /** An agent answers the open turn. */
  reply(text = 'yes'): string {
    const [task] = this.runs
    if (task === undefined) throw new Error('no turn is open')
    const outcome = this.of(task.kind === 'agent.run.event' ? EVENT : STANDARD).complete(task, { reply: text })
    return outcome.kind === 'ok' ? 'ok' : outcome.code
  }

  /** A message of the contractor, and its answer. */
  talk(text = 'hello', id = 'con-1'): Answer {
    const answer = this.ok(C7, 'message', { id, text })
    this.reply()
    return answer
  }

  /** One conversation of C7 in a state: idle, with the standard agent, or with that of `today`. */
  in(state: ConciergeState): this {
    this.open()
    if (state === 'event_agent') this.register('today', times(9, 17))
    if (state !== 'idle') this.talk()
    this.told(C7)
    return this
  }
}
