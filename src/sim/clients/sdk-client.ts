import type { Random } from '../../base/random.ts'
import { MultiSession } from '../../client/session/multi-session.ts'
import type { LeftOut } from '../../client/session/received-request.ts'
import type { SessionCore } from '../../client/session/session-core.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import type { Value } from '../../codec/value/value.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import { RequestLedger } from '../checkers/request-ledger.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedChannels } from '../world/simulated-channels.ts'
import { environmentOf } from '../world/client-environment.ts'
import type { HandlingOptions, SimulatedCommand } from './workload.ts'

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
  readonly requests: HandlingOptions
}

/**
 * A client that is the product's own SDK over simulated streams: its leader discovery, same-id retries, keep-alives and
 * acknowledgements are what runs here. No deadline: every command must end as `ok`.
 */
export class SdkClient {
  readonly name: string
  /** Results of the commands, by position in the list. */
  readonly results = new Map<number, Value>()
  readonly ledger: RequestLedger
  acks = 0
  private readonly options: SdkClientOptions
  private nextCommand = 0
  private core: SessionCore | null = null

  constructor(options: SdkClientOptions) {
    this.options = options
    this.name = options.name
    this.ledger = new RequestLedger(options.name, options.requests.narrow)
  }

  /** Index of its session; null before it was opened. */
  get session(): number | null {
    return this.core?.token?.index ?? null
  }

  get commands(): readonly SimulatedCommand[] {
    return this.options.commands
  }

  get done(): boolean {
    return this.results.size === this.commands.length
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
      onServerRequest: (request, done, leftOut) => this.handle(request, done, leftOut),
    })
    this.core = core
  }

  /** A handler that answers at once, late, or not before it has failed. */
  private handle(request: ServerRequestMessage, done: (error: unknown) => void, leftOut: LeftOut | null): void {
    const { ledger, options } = this
    const { scheduler } = options
    const { weather, random } = options.requests
    ledger.begins(request, leftOut)
    const end = (): void => {
      if (random.chance(weather.failure)) return done(new Error('a handler fails'))
      ledger.ends(request, leftOut)
      done(null)
    }
    if (random.chance(weather.late)) scheduler.after(random.below(weather.lateMicros), end)
    else end()
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
