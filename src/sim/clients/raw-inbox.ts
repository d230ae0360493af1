import { unreachable } from '../../base/assert.ts'
import { LeaderConnection } from '../../client/connection/leader-connection.ts'
import type { PassedMessage } from '../../client/connection/ports.ts'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import type { ServerRequestMessage } from '../../protocol/down-message.ts'
import type { RequestLedger } from '../checkers/request-ledger.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedChannels } from '../world/simulated-channels.ts'
import { environmentOf } from '../world/client-environment.ts'
import type { HandlingOptions } from './workload.ts'

/** The one session of a connection. */
const CHANNEL = 1
/** What no ack has confirmed by then is acknowledged again. */
const REPEAT_MICROS = 500_000

/** A leader that owes an answer is suspected after so long without a word. */
const SILENCE_MS = 1000

export interface RawInboxOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly channels: SimulatedChannels
  readonly endpoints: readonly string[]
  readonly handling: HandlingOptions
  readonly ledger: RequestLedger
  /** As the session was opened and first attached: the same nonce again keeps the epoch. */
  readonly secret: Uint8Array
  readonly nonce: Uint8Array
}

/**
 * The receiving side of a session without the library's inbox: attaches by a stream wherever the leader is, acknowledges
 * late, out of order or twice, and hangs up now and then, with requests and acks under way.
 */
export class RawInbox {
  private readonly options: RawInboxOptions
  private session: SessionNumbers | null = null
  private connection: LeaderConnection | null = null
  private attached = false
  /** Highest ack of which a node has said that the log knows it. */
  private confirmed = 0
  private repeating = false

  constructor(options: RawInboxOptions) {
    this.options = options
  }

  listen(session: SessionNumbers): void {
    this.session = session
    this.connect()
  }

  /** The ack for a command to carry, now and then; 0: none. */
  rides(): number {
    return this.options.handling.random.chance(0.3) ? this.options.ledger.handled : 0
  }

  private connect(): void {
    this.attached = false
    const { name, scheduler, channels, endpoints } = this.options
    const { random } = this.options.handling
    this.connection = new LeaderConnection({
      environment: environmentOf({ name, scheduler, channels, random }),
      endpoints,
      silenceLimitMs: () => SILENCE_MS,
      awaitsAnswer: () => !this.attached || this.confirmed < this.options.ledger.handled,
      onReady: () => this.attach(),
      onDown: () => {
        this.attached = false
      },
      onMessage: (message) => this.receive(message),
    })
  }

  private attach(): void {
    const { session } = this
    if (session === null) return
    const { secret, nonce } = this.options
    this.connection?.sendMessage({ kind: 'attach', channel: CHANNEL, ...session, secret, replaces: 0, nonce })
  }

  private receive(message: PassedMessage): void {
    const { ledger, name } = this.options
    switch (message.kind) {
      case 'attached':
        ledger.known(message.acknowledged)
        this.attached = true
        return
      case 'serverRequest':
        return this.requested(message)
      case 'acknowledged':
        ledger.known(message.upTo)
        this.confirmed = Math.max(this.confirmed, message.upTo)
        return
      // A late attach of an earlier connection, by the same nonce, took the session from this one; or nobody leads.
      case 'superseded':
        return this.hangUp()
      case 'refused':
        if (message.subject === 'attach') this.hangUp()
        return
      // The answer to a connection's probe of a silent leader.
      case 'pong':
        return
      case 'ended':
      case 'closed':
      case 'opened':
      case 'response':
      case 'queryResult':
      case 'change':
      case 'subscriptionEnded':
        throw new Violation('an inbox hears of its session only', { client: name, kind: message.kind })
      default:
        return unreachable(message)
    }
  }

  /** In order by `previousId`, each once (wire.md §5); what comes again is acknowledged again. */
  private requested(request: ServerRequestMessage): void {
    const { ledger } = this.options
    const { random, weather } = this.options.handling
    if (request.serverRequestId <= ledger.handled) return this.repeatLater()
    if (request.previousId > ledger.handled) return
    ledger.ends(request, ledger.skippedBy(request))
    this.acknowledgeLater(ledger.handled)
    if (random.chance(weather.hangUp)) this.hangUp()
  }

  /** Acks are cumulative, so most requests have none of their own; each is delayed alone: a lower one may leave last. */
  private acknowledgeLater(upTo: number): void {
    const { scheduler } = this.options
    const { random, weather } = this.options.handling
    this.repeatLater()
    if (!random.chance(0.1)) return
    const delay = random.chance(weather.late) ? random.below(weather.lateMicros) : random.below(2000)
    scheduler.after(delay, () => {
      this.acknowledge(upTo)
      if (random.chance(0.1)) this.acknowledge(upTo)
    })
  }

  private acknowledge(serverRequestId: number): void {
    if (this.attached) this.connection?.sendMessage({ kind: 'ack', channel: CHANNEL, serverRequestId })
  }

  /** An ack may be lost with its connection, or refused. */
  private repeatLater(): void {
    if (this.repeating) return
    this.repeating = true
    this.options.scheduler.after(REPEAT_MICROS, () => {
      this.repeating = false
      if (this.confirmed >= this.options.ledger.handled) return
      this.acknowledge(this.options.ledger.handled)
      this.repeatLater()
    })
  }

  private hangUp(): void {
    const { connection } = this
    this.attached = false
    this.options.scheduler.after(this.options.handling.random.below(100_000), () => {
      if (this.connection !== connection) return
      connection?.close()
      this.connect()
    })
  }
}
