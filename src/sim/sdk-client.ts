import type { Random } from '../base/random.ts'
import { MultiSession } from '../client/session/multi-session.ts'
import type { ClientEnvironment } from '../client/connection/ports.ts'
import type { SessionCore } from '../client/session/session-core.ts'
import { decodeValue } from '../codec/value/decode.ts'
import type { Value } from '../codec/value/value.ts'
import { Violation } from './checkers/violation.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedChannels } from './simulated-channels.ts'
import type { SimulatedCommand } from './simulated-client.ts'

/** The SDK then retries for ever (request-window.ts). */
const NO_DEADLINE = 0

export interface SdkClientOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly channels: SimulatedChannels
  readonly random: Random
  readonly endpoints: readonly string[]
  readonly commands: readonly SimulatedCommand[]
  readonly pipeline: number
}

/**
 * A client that is the product's own SDK over simulated streams: its leader discovery, same-id retries, keep-alives and
 * acknowledgements are what runs here. No deadline: every command must end as `ok`.
 */
export class SdkClient {
  readonly name: string
  readonly results = new Map<number, Value>()
  acks = 0
  private readonly options: SdkClientOptions
  private nextCommand = 0
  private handled = 0

  constructor(options: SdkClientOptions) {
    this.options = options
    this.name = options.name
  }

  get done(): boolean {
    return this.results.size === this.options.commands.length
  }

  start(): void {
    const hub = new MultiSession({ environment: environmentOf(this.options), endpoints: this.options.endpoints })
    const settings = {
      principal: `user:${this.name}`,
      roles: [],
      capabilities: {},
      name: this.name,
      timeoutMs: 600_000,
      ordered: false,
      resume: null,
    }
    const core = hub.openSession(settings, {
      onReady: () => {
        for (let slot = 0; slot < this.options.pipeline; slot += 1) this.issue(core)
      },
      onRefused: (code, details) => {
        throw new Violation('a session opens', { client: this.name, code, details })
      },
      onLost: (reason) => {
        throw new Violation('a session that is kept alive is not lost', { client: this.name, reason })
      },
      onSuspended: () => undefined,
      onResumed: () => undefined,
      onHandlerError: () => undefined,
      onServerRequest: (request, done) => {
        // In order, without a gap, each once, over any number of failovers (sessions.md §5).
        if (request.serverRequestId !== this.handled + 1) {
          throw new Violation('server requests come in order', {
            client: this.name,
            after: this.handled,
            id: request.serverRequestId,
          })
        }
        this.handled = request.serverRequestId
        done(null)
      },
    })
  }

  private issue(core: SessionCore): void {
    const at = this.nextCommand
    const command = this.options.commands[at]
    if (command === undefined) return
    this.nextCommand += 1
    this.options.scheduler.after(this.options.random.below(200_000), () => {
      core.enqueue(command, NO_DEADLINE, (outcome) => {
        if (outcome.kind !== 'ok')
          throw new Violation('the SDK retries until it knows', { client: this.name, at, outcome })
        this.results.set(at, decodeValue(outcome.value))
        this.acks += 1
        this.issue(core)
      })
    })
  }
}

function environmentOf(options: SdkClientOptions): ClientEnvironment {
  const { scheduler, random, channels, name } = options
  return {
    dial: channels.dial(name),
    random,
    randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
    clock: {
      nowMs: () => scheduler.now / 1000,
      setTimer: (delayMs, callback) => {
        let armed = true
        scheduler.after(delayMs * 1000, () => {
          if (armed) callback()
        })
        return {
          cancel: () => {
            armed = false
          },
        }
      },
      defer: (callback) => scheduler.after(0, callback),
    },
  }
}
