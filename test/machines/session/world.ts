import { z } from 'zod'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { command, defineMachine, mount, on, table } from '../../../src/machine/index.ts'
import { gatesEvents } from '../../../src/machines/gates/facts/gates-events.ts'
import { gatesTables } from '../../../src/machines/gates/facts/gates-schema.ts'
import { session, sessionEvents, type DialogueStatus } from '../../../src/machines/index.ts'
import { machineHarness } from '../../../src/testing/index.ts'

export const A = 'user:a'
export const B = 'user:b'
export const C = 'user:c'
export const ADMIN = 'admin:ada'
export const COURIER = 'worker:post'
export const SEED = '0123456789abcdef0123456789abcdef'
export const EMAIL = { kind: 'email', ref: 'b@x.io' } as const

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** Stands for the machine gates: takes whatever rows a test wants there to be. */
const gates = defineMachine(
  'gates',
  { version: 1, state: gatesTables.schema.state, events: gatesEvents.shapes },
  {
    commands: {
      put: command(
        { input: z.object({ table: z.string(), key: z.unknown(), row: z.unknown() }), output: z.null() },
        (ctx, { table, key, row }) => {
          const tables = ctx.state as unknown as { [name: string]: { set(key: unknown, row: unknown): void } }
          tables[table]?.set(key, row)
          return null
        },
      ),
    },
  },
)

const line = z.object({ event: z.string(), payload: z.unknown() })

/** Writes down every domain event of the machine session. */
const listener = defineMachine(
  'listener',
  { version: 1, state: { heard: table(z.int(), line) } },
  {
    commands: {},
    on: (['SessionActivated', 'SessionPaused', 'SessionResumed', 'SessionClosed'] as const).map((event) =>
      on(sessionEvents, event, (ctx: { state: { heard: Heard } }, payload) => {
        ctx.state.heard.set(ctx.state.heard.count(), { event, payload })
      }),
    ),
  },
)

interface Heard {
  count(): number
  set(key: number, row: z.output<typeof line>): void
}

export type Answer = { readonly [key: string]: Value }

/** The machine session under the real session layer, with stand-ins for the machines around it. */
export class World {
  // What a machine may not use is looked for by the properties, whose replicas are guarded.
  readonly harness = machineHarness([session, gates, listener], { guard: false })
  private readonly mounted = mount([session], sessionCodec)
  private readonly sessions = new Map<string, ReturnType<typeof this.harness.session>>()

  constructor() {
    for (const principal of [A, B, C, ADMIN]) this.of(principal)
    this.sessions.set(COURIER, this.harness.session(COURIER, { roles: ['delivery'] }))
  }

  /** The client session of a principal. */
  of(principal: string): ReturnType<typeof this.harness.session> {
    const known = this.sessions.get(principal) ?? this.harness.session(principal)
    this.sessions.set(principal, known)
    return known
  }

  /** Code and details of a refusal, or `ok` and the value. */
  send(by: string, name: string, input: Value): { readonly code: string; readonly value: Answer } {
    const outcome = this.of(by).execute('session', name, input)
    if (outcome.kind === 'ok') return { code: 'ok', value: outcome.value as Answer }
    return { code: outcome.code, value: outcome.details as Answer }
  }

  /** The answer of what must succeed. */
  ok(by: string, name: string, input: Value): Answer {
    const { code, value } = this.send(by, name, input)
    if (code !== 'ok') throw new Error(`${name} was refused: ${code} ${JSON.stringify(value)}`)
    return value
  }

  ask(by: string, name: string, input: Value): { readonly code: string; readonly value: Value } {
    const outcome = this.of(by).query('session', name, input)
    return outcome.kind === 'ok' ? { code: 'ok', value: outcome.value } : { code: outcome.code, value: outcome.details }
  }

  /** The code of a query that comes from outside any session. */
  outside(name: string, input: Value): string {
    const { userMachine, parseQuery } = this.mounted
    const parsed = parseQuery('session', name, sessionCodec.encodeValue(input))
    if (!parsed.ok) return parsed.code
    const bare = { range: () => [], count: () => 0 }
    const state = { get: () => undefined, has: () => false, range: () => [], count: () => 0, bare }
    const view = { state, now: 0, index: 0, session: null, activeVersion: () => 1 }
    const answer = userMachine.query?.(view, {
      machine: 'session',
      query: name,
      input: parsed.input,
    })
    return answer?.kind === 'reject' ? answer.code : 'ok'
  }

  get(by: string, sid = 'ses-1'): Answer {
    const { code, value } = this.ask(by, 'get', { sid })
    if (code !== 'ok') throw new Error(`get was refused: ${code}`)
    return value as Answer
  }

  /** Topics and bodies of the notifications that wait for a principal, which are taken. */
  told(principal: string): (readonly [topic: string, body: Answer])[] {
    const given = this.of(principal)
    const notes = given.requests.flatMap(({ payload }) => {
      const { topic, body } = payload as { topic?: string; body?: Answer }
      return topic === undefined ? [] : [[topic, body ?? {}] as const]
    })
    given.acknowledge()
    return notes
  }

  heard(): (readonly [event: string, payload: Value])[] {
    return this.harness.table('listener', 'heard').map(([, row]) => [row.event, row.payload as Value] as const)
  }

  put(table: string, key: Value, row: Value): void {
    const outcome = this.of(ADMIN).execute('gates', 'put', { table, key, row })
    if (outcome.kind !== 'ok') throw new Error(JSON.stringify(outcome))
  }

  /** Both at a stage, and what they have done there. */
  stage(user: string, stage: number, sid = 'ses-1'): void {
    this.put('stages', [sid, user, stage], { startedAt: 0, completedAt: null, frozenGates: null })
  }

  /** Everything of stage 4 done, with one agreement in that status. */
  atTheEnd(agreement: 'PROPOSED' | 'AGREED', sid = 'ses-1'): void {
    for (const user of [A, B]) {
      this.stage(user, 4, sid)
      this.put('people', [sid, user], {
        signedAt: 1,
        feelHeardAt: 1,
        draft: null,
        ready: { at: 1, declaredNone: false },
        ranking: { ids: ['str-1'], at: 1 },
      })
    }
    this.put('dialogues', sid, { phase: 'AGREED', overlap: { ids: ['str-1'], at: 1 } })
    this.put('agreements', [sid, 1], agreementOf(agreement))
  }

  /** A dialogue of A and B, brought into a state. It is ses-1 with inv-1 in a new world. */
  dialogueIn(status: DialogueStatus, cause: 'WITHDRAWN' | 'DECLINED' | 'INVITE_EXPIRED' = 'WITHDRAWN'): void {
    this.ok(A, 'create', { invitee: EMAIL, tokenSeed: SEED, context: 'how we talk' })
    if (status === 'CREATED') return
    this.ok(A, 'invite', { sid: 'ses-1' })
    if (status === 'INVITED') return
    if (status === 'ABANDONED') return this.abandon(cause)
    this.ok(B, 'acceptInvitation', { invitationId: 'inv-1', token: TOKEN })
    if (status === 'PAUSED') this.ok(A, 'pause', { sid: 'ses-1' })
    if (status !== 'RESOLVED') return
    this.atTheEnd('AGREED')
    this.ok(A, 'resolve', { sid: 'ses-1' })
  }

  private abandon(cause: 'WITHDRAWN' | 'DECLINED' | 'INVITE_EXPIRED'): void {
    if (cause === 'INVITE_EXPIRED') return this.harness.advance(7 * DAY)
    if (cause === 'DECLINED') {
      this.ok(B, 'declineInvitation', { invitationId: 'inv-1', token: TOKEN })
      return
    }
    this.ok(B, 'acceptInvitation', { invitationId: 'inv-1', token: TOKEN })
    this.ok(A, 'withdraw', { sid: 'ses-1' })
  }
}

export const TOKEN = `inv-1-${SEED}`

export const agreementOf = (status: 'PROPOSED' | 'AGREED' | 'ABANDONED', agreedBy: readonly string[] = [A]) => ({
  strategyId: null,
  description: 'we walk on Sundays',
  type: 'CHECK_IN' as const,
  duration: null,
  measureOfSuccess: null,
  followUpAt: null,
  status,
  agreedBy,
  agreedAt: null,
  replacedBy: null,
  proposedBy: A,
})
