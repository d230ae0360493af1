import { parseSessionId } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { encodeClientRequest } from '../../codec/entry/client-request.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { requestHash } from '../../codec/value/running-hash.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import type { Value } from '../../codec/value/value.ts'
import type { ProposalSink } from '../../node/api.ts'
import { NONCE_BYTES, SECRET_BYTES_MIN } from '../../protocol/limits.ts'
import type { Reply } from '../../session/state-machine.ts'
import { RequestLedger } from '../checkers/request-ledger.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedChannels } from '../world/simulated-channels.ts'
import { WALL_START_MS } from '../world/simulated-clock.ts'
import type { SimulatedNetwork } from '../world/simulated-network.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import { RawInbox } from './raw-inbox.ts'
import type { HandlingOptions, SimulatedCommand } from './workload.ts'

export interface SimulatedClientOptions {
  readonly name: string
  readonly scheduler: Scheduler
  readonly network: SimulatedNetwork
  readonly channels: SimulatedChannels
  readonly random: Random
  readonly nodes: readonly SimulatedNode[]
  readonly commands: readonly SimulatedCommand[]
  readonly pipeline: number
  readonly requests: HandlingOptions
}

const TIME_REFUSALS: readonly string[] = ['INVALID', 'OPEN_TOO_LATE']

interface Operation {
  readonly kind: EntryKind
  payload(): Uint8Array
  done: boolean
  /** Text of the first reply: every later one must equal it. */
  first: string | null
  settle(reply: Reply): void
}

/**
 * A client over lossy links: opens and attaches a session, then sends its commands into the log itself, several in flight,
 * each resent with the same request id until it is answered; its server requests come by a stream (`RawInbox`). What it
 * must never see is written as violations.
 */
export class SimulatedClient {
  readonly name: string
  /** Results of the commands, by position in the list. */
  readonly results = new Map<number, Value>()
  readonly ledger: RequestLedger
  acks = 0
  private readonly options: SimulatedClientOptions
  private readonly inbox: RawInbox
  private numbers: SessionNumbers | null = null
  private epoch = 0
  private nextRequest = 1
  private readonly outstanding = new Set<number>()
  private target: number
  private validUntil: number | null = null

  constructor(options: SimulatedClientOptions) {
    this.options = options
    this.name = options.name
    this.target = options.random.below(options.nodes.length)
    this.ledger = new RequestLedger(options.name, options.requests.narrow)
    const { name, scheduler, channels, nodes, requests: handling } = options
    const secret = this.secret()
    const endpoints = nodes.map((node) => node.address)
    const { ledger } = this
    this.inbox = new RawInbox({ name, scheduler, channels, endpoints, handling, ledger, secret, nonce: this.nonce() })
  }

  /** Index of its session; null before it was opened. */
  get session(): number | null {
    return this.numbers?.index ?? null
  }

  get commands(): readonly SimulatedCommand[] {
    return this.options.commands
  }

  get done(): boolean {
    return this.results.size === this.commands.length
  }

  start(): void {
    this.run({
      kind: 'OpenSession',
      payload: () => this.openPayload(),
      settle: (reply) => {
        if (reply.kind === 'refused' && TIME_REFUSALS.includes(reply.code)) {
          // The node that greeted had another idea of the time than the log: greet again, with the same secret.
          this.validUntil = null
          this.start()
          return
        }
        if (reply.kind !== 'opened') throw new Violation('a session opens', { client: this.name, reply })
        this.numbers = parseSessionId(reply.sessionId)
        this.attach()
      },
    })
  }

  private attach(): void {
    const session = this.opened()
    this.run({
      kind: 'AttachSession',
      payload: () =>
        encodePayload('AttachSession', {
          ...session,
          secretHash: this.secretHash(),
          replaces: 0,
          nonce: this.nonce(),
        }),
      settle: (reply) => {
        if (reply.kind !== 'attached') throw new Violation('a session attaches', { client: this.name, reply })
        this.epoch = reply.epoch
        this.inbox.listen(session)
        for (let slot = 0; slot < this.options.pipeline; slot += 1) this.issue()
      },
    })
  }

  private issue(): void {
    const id = this.nextRequest
    const command = this.options.commands[id - 1]
    if (command === undefined) return
    this.nextRequest += 1
    this.outstanding.add(id)
    const hash = requestHash(command.machine, command.command, command.input)
    const operation = {
      kind: 'ClientRequest' as const,
      payload: () =>
        encodeClientRequest({
          ...this.opened(),
          epoch: this.epoch,
          requestId: id,
          lowestPendingRequestId: Math.min(...this.outstanding, id),
          ackServerRequests: this.inbox.rides(),
          hashHigh: hash.high,
          hashLow: hash.low,
          version: command.version,
          machine: command.machine,
          command: command.command,
          input: command.input,
        }),
      settle: (reply: Reply) => this.answered(id, reply),
    }
    this.options.scheduler.after(this.options.random.below(200_000), () => this.run(operation))
  }

  private answered(id: number, reply: Reply): void {
    if (reply.kind !== 'outcome' || reply.outcome.kind !== 'value') {
      throw new Violation('a command in flight is executed once and answered', { client: this.name, id, reply })
    }
    if (reply.invalidAck) throw new Violation('an ack of what was delivered is valid', { client: this.name, id })
    this.outstanding.delete(id)
    this.results.set(id - 1, reply.outcome.value)
    this.acks += 1
    this.issue()
  }

  private run(given: Pick<Operation, 'kind' | 'payload' | 'settle'>): void {
    const operation: Operation = { ...given, done: false, first: null }
    this.sendCopy(operation)
  }

  /** Sends one copy, and another one elsewhere when nothing has come back for a while. */
  private sendCopy(operation: Operation): void {
    if (operation.done) return
    const { scheduler, random, network, nodes } = this.options
    const node = nodes[this.target]
    if (node === undefined) return
    const payload = operation.payload()
    network.carry(this.name, node.id, () => node.driver?.submit(operation.kind, payload, this.sink(operation, node)))
    scheduler.after(random.between(150_000, 900_000), () => {
      if (operation.done) return
      this.target = random.below(nodes.length)
      this.sendCopy(operation)
    })
  }

  private sink(operation: Operation, node: SimulatedNode): ProposalSink {
    const { network, nodes } = this.options
    return {
      settled: (reply) => network.carry(node.id, this.name, () => this.receive(operation, reply)),
      refused: (_code, leader) => {
        const hint = nodes.findIndex((other) => other.id === leader)
        network.carry(node.id, this.name, () => {
          if (hint >= 0) this.target = hint
        })
      },
      lost: () => undefined,
    }
  }

  private receive(operation: Operation, reply: Reply): void {
    if (!operation.done) {
      operation.done = true
      operation.first = textOf(reply)
      operation.settle(reply)
      return
    }
    // A late copy may find its response evicted by the floor; any outcome it carries must equal the first.
    if (reply.kind === 'outcome' && operation.first !== textOf(reply)) {
      throw new Violation('every duplicate is answered like the first copy', {
        client: this.name,
        first: operation.first,
        reply,
      })
    }
  }

  private openPayload(): Uint8Array {
    return encodePayload('OpenSession', {
      secretHash: this.secretHash(),
      principal: `user:${this.name}`,
      roles: [],
      capabilities: {},
      name: this.name,
      timeoutMs: 600_000,
      validUntil: this.greeted(),
      ordered: false,
    })
  }

  /** The `now` of the greeting plus two minutes, the same in every copy (sessions.md §4). */
  private greeted(): number {
    const now = this.options.nodes[this.target]?.driver?.logNow() ?? 0
    this.validUntil ??= Math.max(now, WALL_START_MS - 900_000) + 120_000
    return this.validUntil
  }

  private secret(): Uint8Array {
    return Uint8Array.from(this.name.padEnd(SECRET_BYTES_MIN), (char) => char.charCodeAt(0))
  }

  private secretHash(): Uint8Array {
    return sessionCodec.sha256(this.secret())
  }

  /** The same in every attach, so that all get one epoch (sessions.md §4). */
  private nonce(): Uint8Array {
    return this.secretHash().slice(0, NONCE_BYTES)
  }

  private opened(): SessionNumbers {
    if (this.numbers === null) throw new Violation('a client knows its session', { client: this.name })
    return this.numbers
  }
}

/** What a client can tell apart: the outcome, not whether it was replayed. */
function textOf(reply: Reply): string {
  return reply.kind === 'outcome' ? JSON.stringify(reply.outcome) : reply.kind
}
