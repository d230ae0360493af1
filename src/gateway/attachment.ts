import type { RunningHash } from '../codec/value/running-hash.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { Reply, StateMachine } from '../session/state-machine.ts'
import type { ServerRequest } from '../session/user-machine.ts'
import type { RaftNode, SubmitRefusal } from '../node/api.ts'
import type { RequestMessage } from '../protocol/up-frame.ts'
import { checkCommand, parseCommand } from './checks.ts'
import { CommandOrder } from './command-order.ts'
import type { ConnectionSink, GatewayAnswer } from './connection-sink.ts'
import { Delivery, type DeliveryTarget } from './delivery.ts'
import type { CommandParser } from './gateway-options.ts'
import { PendingRequest, type RequestOwner } from './pending-request.ts'
import { haltedRefusal, notLeader, parseRefusal, type Refusal, refusal, submitRefusal } from './refusal.ts'

/**
 * Times that a command is parsed for one version, before its client hears of VERSION_CHANGED: whoever parses by the active
 * version needs one.
 */
const PARSES_MAX = 3

/** What an attachment needs of its gateway. */
export interface AttachmentHost {
  readonly node: RaftNode
  readonly parse: CommandParser
  readonly credit: number
  /** Tells an honest retry from another request under the same id. */
  hashOf(request: RequestMessage): RunningHash
  /** Calls back as keys of any subject come, and with false when the time is over. Returns what ends the wait. */
  whenKeysChange(done: (changed: boolean) => void): () => void
  /** A number that rises whenever a machine was seen to be parsed under another version than before. */
  generation(machine: string, version: number): number
  /** This attachment has commands to parse again at the end of the apply run: `reparse` is due then. */
  reparseLater(attachment: Attachment): void
  /** The log may know a higher ack of this session than before: what it makes room for goes out after this run. */
  acknowledged(session: number): void
  /** The log knows a newer attach epoch. */
  fenced(attachment: Attachment): void
}

/** The wait of one command for the keys of its subjects: it has one deadline, however often the command is tried again. */
interface KeyWait {
  over: boolean
  end: () => void
}

export interface AttachmentIdentity {
  readonly session: SessionNumbers
  readonly epoch: number
  readonly channel: number
  /** Ids below this may have been executed already: look into the cache first. */
  readonly nextRequestId: number
  readonly acknowledged: number
  /** The session's commands are executed in the order of their ids alone. */
  readonly ordered: boolean
  /** Server requests up to this id may have been sent to an earlier holder. */
  readonly sentBefore: number
  /** Held without an attach, by a call that stands alone (unary): no server requests are sent here. */
  readonly lone?: true
}

/** One session as one connection holds it: its commands in flight and the delivery of its server requests (wire.md §3). */
export class Attachment implements DeliveryTarget, RequestOwner {
  readonly session: SessionNumbers
  readonly epoch: number
  readonly channel: number
  readonly sink: ConnectionSink
  readonly credit: number
  private readonly lone: boolean
  private readonly ordered: boolean
  readonly delivery: Delivery
  /** A close is on its way: its answer is told instead of `ended`. */
  closing = false
  private readonly host: AttachmentHost
  private pending = new Map<number, PendingRequest>()
  /** Ids up to this were sent before and may be duplicates. */
  private highest: number
  private generation = 0
  private readonly order = new CommandOrder()
  private changedRequests: PendingRequest[] = []
  /** Newer commands, and a close, that wait behind commands that are to be parsed again. */
  private held: (() => void)[] = []

  constructor(host: AttachmentHost, sink: ConnectionSink, identity: AttachmentIdentity) {
    this.host = host
    this.sink = sink
    this.session = identity.session
    this.epoch = identity.epoch
    this.channel = identity.channel
    this.lone = identity.lone === true
    // A lone call knows nothing of what others have in flight: it leaves the order to the log.
    this.ordered = identity.ordered && !this.lone
    this.credit = this.lone ? 0 : host.credit
    this.highest = identity.nextRequestId - 1
    this.delivery = new Delivery(identity.acknowledged, identity.sentBefore)
  }

  get machine(): StateMachine {
    return this.host.node.machine
  }

  get sessionIndex(): number {
    return this.session.index
  }

  deliverRequest(request: ServerRequest): void {
    this.sink.serverRequest(this.channel, request)
  }

  /** A command from the client: answered, joined to its twin in flight, or proposed (wire.md §4, steps 1–3). */
  admit(request: RequestMessage): void {
    const { machine } = this
    const { node } = this.host
    // First of all: not even a cached answer is this node's to give.
    const bad = haltedRefusal(node) ?? checkCommand(request, machine.limits)
    if (bad !== null) return this.answer(request, { kind: 'notExecuted', ...bad })
    const hash = this.host.hashOf(request)
    if (this.answeredOrJoined(request, hash)) return
    if (node.role !== 'leader') return this.answer(request, { kind: 'notExecuted', ...notLeader(node) })
    if (this.held.length > 0) {
      if (this.full) return this.answer(request, { kind: 'notExecuted', ...this.windowExceeded() })
      return void this.held.push(() => this.propose(request, hash))
    }
    this.propose(request, hash)
  }

  /**
   * Runs after what the client sent before it: at once, unless commands wait to be parsed again. False: too much waits
   * already, and it never runs.
   */
  inOrder(run: () => void): boolean {
    if (this.held.length === 0) run()
    else if (this.full) return false
    else this.held.push(run)
    return true
  }

  settled(pending: PendingRequest, reply: Reply, index: number): void {
    const { request } = pending
    // Whatever the reply: apply takes a valid ack before it judges the command.
    if (request.ackServerRequests > 0) this.host.acknowledged(this.session.index)
    // A refusal has executed nothing, and of a lost command this node cannot tell.
    if (reply.kind !== 'outcome') this.notExecuted(request.requestId)
    if (reply.kind === 'refused' && reply.code === 'VERSION_CHANGED' && pending.parsedTimes < PARSES_MAX) {
      this.changedRequests.push(pending)
      this.host.reparseLater(this)
      return
    }
    this.pending.delete(request.requestId)
    if (reply.kind === 'outcome') {
      this.sink.responded(this.channel, request.requestId, reply)
    } else if (reply.kind === 'refused') {
      this.answer(request, { kind: 'refused', index, code: reply.code, details: reply.details })
      if (reply.code === 'FENCED') this.host.fenced(this)
    } else {
      this.answer(request, { kind: 'unknown', code: 'LEADER_LOST' })
    }
    if (this.held.length > 0) this.releaseHeld()
  }

  refused(pending: PendingRequest, code: SubmitRefusal): void {
    this.pending.delete(pending.request.requestId)
    this.notExecuted(pending.request.requestId)
    this.answer(pending.request, { kind: 'notExecuted', ...submitRefusal(this.host.node, code) })
    if (this.held.length > 0) this.releaseHeld()
  }

  lost(pending: PendingRequest): void {
    this.pending.delete(pending.request.requestId)
    this.notExecuted(pending.request.requestId)
    this.answer(pending.request, { kind: 'unknown', code: 'LEADER_LOST' })
    if (this.held.length > 0) this.releaseHeld()
  }

  notProposed(pending: PendingRequest, bad: Refusal): void {
    this.pending.delete(pending.request.requestId)
    this.answer(pending.request, { kind: 'notExecuted', ...bad })
  }

  /**
   * Parses what VERSION_CHANGED refused again and proposes it in id order (sessions.md §3, step 7). Another attachment of
   * the same epoch may have adopted a command meanwhile: it hears of it, and what it holds back is let go.
   */
  reparse(): void {
    const requests = this.changedRequests.sort((left, right) => left.request.requestId - right.request.requestId)
    this.changedRequests = []
    const owners = new Set<RequestOwner>([this])
    for (const pending of requests) {
      const { machine, command, input } = pending.request
      const parsed = this.host.parse(machine, command, input)
      const { owner } = pending
      // Its predecessor may be the one that fits the new version no more.
      const bad = parsed.ok ? owner.checkOrder(pending.request) : parseRefusal(parsed)
      if (!parsed.ok || bad !== null) {
        owner.notProposed(pending, bad ?? refusal('VERSION_CHANGED'))
        owners.add(owner)
        continue
      }
      pending.parsedTimes = parsed.version === pending.version ? pending.parsedTimes + 1 : 1
      pending.version = parsed.version
      pending.generation = this.host.generation(machine, parsed.version)
      owner.submit(pending, parsed.input)
    }
    for (const owner of owners) owner.releaseHeld()
  }

  releaseHeld(): void {
    const { held } = this
    if (held.length === 0 || this.changedRequests.length > 0) return
    this.held = []
    for (let next = 0; next < held.length; next += 1) {
      held[next]?.()
      if (this.held.length === 0) continue
      // The first one still has to wait, and so has everything behind it.
      this.held.push(...held.slice(next + 1))
      return
    }
  }

  /** Why a command is not proposed although it fits: its predecessor is missing. */
  checkOrder(request: RequestMessage): Refusal | null {
    // Before its first entry is applied a leader's rows are old. PERF: the facts cost 0.1 µs, for ordered sessions alone.
    if (!this.ordered || !this.host.node.leading) return null
    return this.order.check(this.machine.sessionFacts(this.session.index), request)
  }

  submit(pending: PendingRequest, input: Uint8Array): void {
    this.order.proposed(pending.request.requestId)
    pending.submit(this.host.node, input)
  }

  /** Takes over a command that was proposed behind this attachment's own attach, under its epoch. */
  take(pending: PendingRequest): void {
    const { requestId } = pending.request
    pending.owner = this
    this.pending.set(requestId, pending)
    if (requestId > this.highest) this.highest = requestId
    this.order.proposed(requestId)
  }

  /** Takes over what another connection of the same epoch has in flight, so that duplicates still join it. */
  adopt(other: Attachment): void {
    for (const [requestId, pending] of other.pending) {
      pending.owner = this
      this.pending.set(requestId, pending)
    }
    other.pending = new Map()
    this.order.adopt(other.order)
    this.delivery.adopt(other.delivery)
  }

  /** Sends server requests that became ready; `retried`: also those of which the log counts another attempt. */
  deliver(retried: boolean): void {
    if (!this.host.node.leading) return
    if (retried) this.delivery.redeliver(this)
    this.delivery.deliver(this)
  }

  /** `wait`: it was held for the key of a subject before. */
  private propose(request: RequestMessage, hash: { high: number; low: number }, wait: KeyWait | null = null): void {
    const { host } = this
    if (this.pending.size >= this.machine.limits.windowRequests) {
      wait?.end()
      return this.answer(request, { kind: 'notExecuted', ...this.windowExceeded() })
    }
    const parsed = parseCommand(host, request)
    if (!parsed.ok) {
      if (parsed.bad.code === 'SUBJECT_KEY_PENDING' && wait?.over !== true) {
        return this.hold(request, hash, wait ?? this.awaitKeys())
      }
      wait?.end()
      return this.answer(request, { kind: 'notExecuted', ...parsed.bad })
    }
    const generation = host.generation(request.machine, parsed.version)
    if (generation !== this.generation && this.mustWait(generation)) return this.hold(request, hash, wait)
    wait?.end()
    const outOfOrder = this.checkOrder(request)
    if (outOfOrder !== null) return this.answer(request, { kind: 'notExecuted', ...outOfOrder })
    this.generation = generation
    const pending = new PendingRequest(this, request, hash, { version: parsed.version, generation })
    this.pending.set(request.requestId, pending)
    if (request.requestId > this.highest) this.highest = request.requestId
    this.submit(pending, parsed.input)
  }

  private hold(request: RequestMessage, hash: { high: number; low: number }, wait: KeyWait | null): void {
    this.held.push(() => this.propose(request, hash, wait))
  }

  /**
   * A command goes on, and what came behind it, once all its keys are there. A key of another subject changes nothing: it is
   * refused when its time is over, and its client sends it again.
   */
  private awaitKeys(): KeyWait {
    const wait: KeyWait = { over: false, end: () => undefined }
    wait.end = this.host.whenKeysChange((changed) => {
      if (!changed) wait.over = true
      this.releaseHeld()
    })
    return wait
  }

  /** True while commands that were parsed before a version changed are out: they may come back, and newer ones stay behind. */
  private mustWait(generation: number): boolean {
    for (const pending of this.pending.values()) if (pending.generation < generation) return true
    return false
  }

  /** True when this copy needs no proposal: its twin is in flight, or its answer is in the applied cache. */
  private answeredOrJoined(request: RequestMessage, hash: { high: number; low: number }): boolean {
    const twin = this.pending.get(request.requestId)
    if (twin !== undefined) {
      if (twin.hashHigh === hash.high && twin.hashLow === hash.low) return true
      this.answer(request, { kind: 'notExecuted', ...refusal('REQUEST_CONFLICT') })
      return true
    }
    if (request.requestId > this.highest) return false
    // A riding ack that the log has not seen must go through the log.
    if (request.ackServerRequests > this.delivery.acknowledged) return false
    const cached = this.machine.cached(this.session.index, request.requestId)
    if (cached === null || cached.hashHigh !== hash.high || cached.hashLow !== hash.low) return false
    this.sink.responded(this.channel, request.requestId, {
      kind: 'outcome',
      outcome: cached.outcome,
      replayed: true,
      index: cached.entryIndex,
      invalidAck: false,
    })
    return true
  }

  /** What was executed before stays so, whatever became of another copy. */
  private notExecuted(requestId: number): void {
    if (!this.ordered) return
    const facts = this.machine.sessionFacts(this.session.index)
    if (facts !== null && requestId > facts.highest) this.order.failed(requestId)
  }

  /** As much is in flight or waits as a session may have without responses. */
  private get full(): boolean {
    return this.pending.size + this.held.length >= this.machine.limits.windowRequests
  }

  private windowExceeded(): Refusal {
    return refusal('WINDOW_EXCEEDED', { window: this.machine.limits.windowRequests })
  }

  private answer(request: RequestMessage, answer: GatewayAnswer): void {
    this.sink.responded(this.channel, request.requestId, answer)
  }
}
