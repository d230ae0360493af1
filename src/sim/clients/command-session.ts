import type { Random } from '../../base/random.ts'
import { MultiSession } from '../../client/session/multi-session.ts'
import type { SessionCore } from '../../client/session/session-core.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { Value } from '../../codec/value/value.ts'
import { Violation } from '../checkers/violation.ts'
import { environmentOf } from '../world/client-environment.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedChannels } from '../world/simulated-channels.ts'

/** The world that all sessions of a seed live in. */
export interface SessionWorld {
  readonly scheduler: Scheduler
  readonly channels: SimulatedChannels
  readonly endpoints: readonly string[]
}

/** A piece of work that the cluster gives to a worker. */
export interface GivenTask {
  readonly taskId: string
  readonly kind: string
  readonly attempt: number
  readonly payload: { readonly [name: string]: Value }
}

/** What a command came to: its value, or null when the machine refused it. */
export type Answered = (value: Value) => void

/**
 * One session of the product's own SDK, which sends commands as they occur to its owner. No deadline:
 * every command ends as executed or refused, through crashes and changes of leader.
 */
export class CommandSession {
  /** Commands without an outcome yet. */
  pending = 0
  acks = 0
  private readonly core: SessionCore
  private readonly name: string

  constructor(
    world: SessionWorld,
    options: {
      readonly principal: string
      readonly roles: readonly string[]
      readonly random: Random
      readonly ready: () => void
      readonly onTask?: (task: GivenTask) => void
    },
  ) {
    const { principal, roles, random, ready, onTask } = options
    this.name = principal
    const environment = environmentOf({ ...world, name: principal.replace(':', '-'), random })
    const hub = new MultiSession({ environment, endpoints: world.endpoints })
    const settings = {
      principal,
      roles,
      capabilities: {},
      name: principal,
      timeoutMs: 600_000,
      ordered: false,
      resume: null,
    }
    const lost = (reason: unknown): never => {
      throw new Violation('a session opens and is kept', { principal, reason })
    }
    this.core = hub.openSession(settings, {
      onReady: ready,
      onRefused: lost,
      onLost: lost,
      onSuspended: () => undefined,
      onResumed: () => undefined,
      onHandlerError: () => undefined,
      onServerRequest: ({ type, payload }, done) => {
        if (type === 'task') onTask?.(decodeValue(payload) as unknown as GivenTask)
        done(null)
      },
    })
  }

  /** Index of its session; null before it was opened. */
  get session(): number | null {
    return this.core.token?.index ?? null
  }

  /** Ends the session, when nothing is pending; `done` is called when it is over, whether or not the answer was lost. */
  leave(done: () => void): void {
    this.core.closeSession(() => done())
  }

  /** Sends a command, again until it is executed; `answered` gets null when it was refused. */
  send(machine: string, command: string, input: Value, answered: Answered = () => undefined): void {
    this.pending += 1
    this.core.enqueue({ machine, command, input: encodeValue(input) }, 0, (outcome) => {
      this.pending -= 1
      if (outcome.kind === 'ok') {
        this.acks += 1
        answered(decodeValue(outcome.value))
      } else if (outcome.kind === 'rejected') answered(null)
      else throw new Violation('the SDK retries until it knows', { session: this.name, command, outcome })
    })
  }
}
