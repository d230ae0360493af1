import type { SessionNumbers } from '../codec/entry/payload.ts'
import { encodePayload } from '../codec/entry/payload-codec.ts'
import { ValueError } from '../codec/value/value-error.ts'
import type { Value } from '../codec/value/value.ts'
import { numbersOf } from '../base/brand.ts'
import type { Reply } from '../session/state-machine.ts'
import type { ProposalSink, SubmitRefusal } from '../node/api.ts'
import type { RefusedSubject } from '../protocol/down-message.ts'
import { CHANNELS_MAX } from '../protocol/limits.ts'
import { OWN_MACHINE } from '../protocol/own-queries.ts'
import type {
  AnyQueryMessage,
  AttachMessage,
  OpenMessage,
  RequestMessage,
  SubscribeMessage,
} from '../protocol/up-frame.ts'
import { Attachment, type AttachmentHost } from './attachment.ts'
import { checkAttach, checkOpen, checkProof, isId, sameBytes } from './checks.ts'
import type { ConnectionSink } from './connection-sink.ts'
import type { GatewayAcks } from './gateway-acks.ts'
import type { GatewayOptions } from './gateway-options.ts'
import { GatewayQueries } from './queries/gateway-queries.ts'
import { GatewaySubscriptions } from './queries/gateway-subscriptions.ts'
import type { Subscriptions } from './queries/subscriptions.ts'
import { haltedRefusal, notLeader, type Refusal, refusal, submitRefusal } from './refusal.ts'
import { type RidingBudget, RidingCommands } from './riding-commands.ts'

/** Opens, attaches and the like of one connection that may wait for the log. */
const WAITING_MAX = 100_000

/** What a connection needs of its gateway. */
export interface ConnectionHost extends AttachmentHost {
  readonly options: GatewayOptions
  readonly acks: GatewayAcks
  readonly subscriptions: Subscriptions
  /** A session belongs to this connection from now on, and to no other. */
  attached(connection: GatewayConnection, attachment: Attachment): void
  /** This connection holds the session no more. */
  detach(connection: GatewayConnection, attachment: Attachment): void
  /** The connection is gone. */
  disconnected(connection: GatewayConnection): void
}

/** Whom an attach is for, as its client says, and what comes behind it. */
interface Claim {
  readonly index: number
  readonly secretHash: Uint8Array
  readonly riding: RidingCommands
}

/** One client connection: a method per up message (protocol/up-frame.ts); `sink` hears the down messages (wire.md §3). */
export class GatewayConnection {
  readonly sink: ConnectionSink
  private readonly gateway: ConnectionHost
  private readonly channels = new Map<number, Attachment>()
  /** By channel: the newest attach that waits for the log. */
  private readonly claims = new Map<number, Claim>()
  private readonly ridingBudget: RidingBudget = { bytes: 0 }
  private readonly queries: GatewayQueries
  private readonly subscriptions: GatewaySubscriptions
  private waiting = 0
  private over = false

  constructor(gateway: ConnectionHost, sink: ConnectionSink) {
    this.gateway = gateway
    this.sink = sink
    this.queries = new GatewayQueries(gateway.node, gateway.options, sink)
    this.subscriptions = new GatewaySubscriptions(gateway.subscriptions, sink)
  }

  /** Sessions attached here. */
  get attachments(): Iterable<Attachment> {
    return this.channels.values()
  }

  receiveOpen(request: OpenMessage): void {
    const { node } = this.gateway
    const { channel } = request
    const capabilities = this.decodeCapabilities(request.capabilities)
    const bad =
      this.checkServing() ??
      checkOpen(request, node.logNow()) ??
      (capabilities === null ? refusal('INVALID', { field: 'capabilities' }) : null)
    if (bad !== null || capabilities === null) return this.refuse(channel, 'open', bad ?? refusal('INVALID'))
    const payload = this.encodeOpen(request, capabilities)
    if (payload === null) return this.refuse(channel, 'open', refusal('INVALID'))
    node.submit(
      'OpenSession',
      payload,
      this.await(channel, 'open', (reply) => {
        if (reply.kind === 'opened') this.sink.opened(channel, numbersOf(reply.sessionId), reply.existing)
      }),
    )
  }

  receiveAttach(request: AttachMessage): void {
    const { node, options } = this.gateway
    const { channel, group, incarnation, index, replaces } = request
    const bad = this.checkServing() ?? checkAttach(request) ?? this.checkIdentity(request) ?? this.checkChannel(channel)
    if (bad !== null) return this.refuse(channel, 'attach', bad)
    const secretHash = options.codec.sha256(request.secret)
    const payload = encodePayload('AttachSession', {
      group,
      incarnation,
      index,
      secretHash,
      replaces,
      nonce: Uint8Array.from(request.nonce),
    })
    const session = { group, incarnation, index }
    const riding = new RidingCommands(this.gateway, this.sink, { session, budget: this.ridingBudget })
    const claim = { index, secretHash, riding }
    this.claims.set(channel, claim)
    const answered = (): void => {
      if (this.claims.get(channel) === claim) this.claims.delete(channel)
    }
    const settled = (reply: Reply): void => {
      answered()
      if (reply.kind !== 'attached' || this.over) return riding.end()
      const facts = node.machine.sessionFacts(index)
      // An earlier holder may have been sent all that waits; the first one has been sent nothing.
      const sentBefore = replaces > 0 && facts !== null ? facts.lastServerRequestId : 0
      const identity = { ...reply, session, channel, sentBefore, ordered: facts?.ordered === true }
      const attachment = new Attachment(this.gateway, this.sink, identity)
      this.gateway.attached(this, attachment)
      this.sink.attached(channel, reply)
      riding.attached(attachment)
    }
    const sink = this.await(channel, 'attach', settled, (lost) => {
      answered()
      riding.failed(lost)
    })
    node.submit('AttachSession', payload, { ...sink, appended: (at) => riding.appended(at) })
  }

  /**
   * For calls that stand alone (unary): binds a session to a channel for commands and a close, without an entry and
   * without server requests. The epoch was given by an attach. Null, or why not.
   */
  bind(channel: number, session: SessionNumbers, proof: { epoch: number; secret: Uint8Array }): Refusal | null {
    const { node, options } = this.gateway
    const bad = checkProof(proof) ?? this.checkServing() ?? this.checkIdentity(session)
    if (bad !== null) return bad
    // What this node says of the session is read from its rows, which before its first entry are those of some earlier time.
    if (!node.leading) return notLeader(node)
    const secretHash = options.codec.sha256(proof.secret)
    const facts = node.machine.sessionFacts(session.index)
    // A stranger learns nothing: neither that the session exists nor that it did.
    if (facts === null) {
      const end = node.machine.endedSession(session, secretHash)
      return end === null ? refusal('SESSION_UNKNOWN') : refusal('SESSION_EXPIRED', end)
    }
    if (!sameBytes(facts.secretHash, secretHash)) return refusal('SESSION_UNKNOWN')
    const nextRequestId = Math.max(facts.highest + 1, facts.floor)
    const identity = {
      session,
      channel,
      epoch: proof.epoch,
      nextRequestId,
      acknowledged: facts.acknowledged,
      sentBefore: 0,
      ordered: facts.ordered,
      lone: true as const,
    }
    this.channels.set(channel, new Attachment(this.gateway, this.sink, identity))
    return null
  }

  receiveRequest(request: RequestMessage): void {
    const claim = this.claims.size === 0 ? undefined : this.claims.get(request.channel)
    if (claim !== undefined) return claim.riding.admit(request)
    const attachment = this.channels.get(request.channel)
    if (attachment !== undefined) return attachment.admit(request)
    this.sink.responded(request.channel, request.requestId, { kind: 'notExecuted', ...refusal('NOT_ATTACHED') })
  }

  /** A cumulative ack of its own. */
  receiveAck(channel: number, serverRequestId: number): void {
    const attachment = this.channels.get(channel)
    if (attachment === undefined) return this.refuse(channel, 'ack', refusal('NOT_ATTACHED'))
    if (!isId(serverRequestId)) return this.refuse(channel, 'ack', refusal('INVALID_ACK'))
    this.gateway.acks.receiveAck(attachment, serverRequestId)
  }

  /** On the channel of no session it asks the process for a sign of life: answered at once, whoever leads. */
  receivePing(channel: number): void {
    if (channel === 0) return this.sink.pong(0)
    const attachment = this.channels.get(channel)
    if (attachment === undefined) return this.refuse(channel, 'ping', refusal('NOT_ATTACHED'))
    const bad = this.checkServing()
    if (bad !== null) return this.refuse(channel, 'ping', bad)
    const { node } = this.gateway
    node.keepAlive(
      attachment.session,
      this.await(channel, 'ping', () => {
        if (node.machine.sessionFacts(attachment.session.index) !== null) this.sink.pong(channel)
        else this.refuse(channel, 'ping', refusal('SESSION_UNKNOWN'))
      }),
    )
  }

  receiveQuery(request: AnyQueryMessage): void {
    const session = this.askingSession(request)
    if (request.channel !== 0 && session === null) return this.queries.refuse(request, refusal('NOT_ATTACHED'))
    this.queries.receiveQuery(request, session)
  }

  receiveSubscribe(request: SubscribeMessage): void {
    this.subscriptions.receiveSubscribe(request, this.channels.get(request.channel)?.session.index ?? null)
  }

  receiveUnsubscribe(subscriptionId: number): void {
    this.subscriptions.receiveUnsubscribe(subscriptionId)
  }

  /** Less is unsent than before. */
  drained(): void {
    this.subscriptions.drained()
  }

  receiveClose(channel: number): void {
    const attachment = this.channels.get(channel)
    const bad = attachment === undefined ? refusal('NOT_ATTACHED') : this.checkServing()
    if (attachment === undefined || bad !== null) return this.refuse(channel, 'close', bad ?? refusal('NOT_ATTACHED'))
    const taken = attachment.inOrder(() => {
      const { epoch, session } = attachment
      attachment.closing = true
      const payload = encodePayload('CloseSession', { ...session, epoch, secretHash: new Uint8Array(0) })
      this.gateway.node.submit(
        'CloseSession',
        payload,
        this.await(
          channel,
          'close',
          (reply) => {
            if (reply.kind !== 'closed') return
            this.gateway.detach(this, attachment)
            this.sink.closed(channel)
          },
          () => {
            attachment.closing = false
          },
        ),
      )
    })
    if (!taken) this.refuse(channel, 'close', refusal('OVERLOADED'))
  }

  /** The connection is gone: its sessions stay open and detached, its commands go on. */
  end(): void {
    if (this.over) return
    this.over = true
    this.queries.end()
    this.subscriptions.end()
    for (const attachment of [...this.channels.values()]) this.gateway.detach(this, attachment)
    this.gateway.disconnected(this)
  }

  /** Binds a channel to a session (the gateway's doing). */
  put(attachment: Attachment): void {
    const before = this.channels.get(attachment.channel)
    if (before !== undefined) this.gateway.detach(this, before)
    this.channels.set(attachment.channel, attachment)
  }

  /** Unbinds a channel; true when it was bound to this very attachment. */
  remove(attachment: Attachment): boolean {
    if (this.channels.get(attachment.channel) !== attachment) return false
    this.subscriptions.detached(attachment.channel)
    return this.channels.delete(attachment.channel)
  }

  private refuse(channel: number, subject: RefusedSubject, bad: Refusal): void {
    this.sink.refused(channel, subject, bad)
  }

  /**
   * By index; null: none. A session whose attach waits for the log may ask already, if it is known here and its secret is the
   * one that the attach names: a new leader that defers to a lease commits nothing for hundreds of milliseconds, and answers.
   * What became of its commands it is told only once its earlier attachments are fenced.
   */
  private askingSession({ channel, machine }: AnyQueryMessage): number | null {
    const attachment = this.channels.get(channel)
    if (attachment !== undefined) return attachment.session.index
    const claim = this.claims.get(channel)
    if (claim === undefined || machine === OWN_MACHINE) return null
    const facts = this.gateway.node.machine.sessionFacts(claim.index)
    return facts !== null && sameBytes(facts.secretHash, claim.secretHash) ? claim.index : null
  }

  private checkServing(): Refusal | null {
    if (this.waiting >= WAITING_MAX) return refusal('OVERLOADED', { max: WAITING_MAX })
    const { node } = this.gateway
    return haltedRefusal(node) ?? (node.role === 'leader' ? null : notLeader(node))
  }

  /** Sessions of another history are not unknown: they were lost with the cluster that held them. */
  private checkIdentity(session: SessionNumbers): Refusal | null {
    const { node } = this.gateway
    if (session.group !== node.group) return refusal('WRONG_GROUP', { group: node.group })
    if (session.incarnation !== node.incarnation) return refusal('CLUSTER_CHANGED', { incarnation: node.incarnation })
    return null
  }

  private checkChannel(channel: number): Refusal | null {
    if (!isId(channel)) return refusal('INVALID', { field: 'channel' })
    const max = this.gateway.options.channelsMax ?? CHANNELS_MAX
    return this.channels.size >= max && !this.channels.has(channel) ? refusal('TOO_MANY_CHANNELS', { max }) : null
  }

  private decodeCapabilities(bytes: Uint8Array): { readonly [name: string]: Value } | null {
    try {
      const value = this.gateway.options.codec.decodeInput(bytes)
      if (value === null || typeof value !== 'object' || Array.isArray(value) || value instanceof Uint8Array)
        return null
      return value as { readonly [name: string]: Value }
    } catch (error) {
      if (error instanceof ValueError) return null
      throw error
    }
  }

  /** The entry's payload, or null: what a client says may fit a frame and no payload. */
  private encodeOpen(request: OpenMessage, capabilities: { readonly [name: string]: Value }): Uint8Array | null {
    const { principal, roles, name, timeoutMs, validUntil, ordered } = request
    const secretHash = this.gateway.options.codec.sha256(request.secret)
    const payload = { secretHash, principal, roles, capabilities, name, timeoutMs, validUntil, ordered }
    try {
      return encodePayload('OpenSession', payload)
    } catch (error) {
      if (error instanceof ValueError) return null
      throw error
    }
  }

  /**
   * A sink for everything that is not a command: refusals are told here, the rest is `settled`'s. `failed` hears of them first;
   * `lost`: of an entry whose fate is not known here.
   */
  private await(
    channel: number,
    subject: RefusedSubject,
    settled: (reply: Reply) => void,
    failed: (lost: boolean) => void = () => {},
  ): ProposalSink {
    this.waiting += 1
    const done = (): void => {
      this.waiting -= 1
    }
    return {
      settled: (reply) => {
        done()
        if (reply.kind === 'refused') {
          failed(false)
          this.refuse(channel, subject, { code: reply.code, details: reply.details })
        } else settled(reply)
      },
      refused: (code: SubmitRefusal) => {
        done()
        failed(false)
        this.refuse(channel, subject, submitRefusal(this.gateway.node, code))
      },
      lost: () => {
        done()
        failed(true)
        this.refuse(channel, subject, notLeader(this.gateway.node))
      },
    }
  }
}
