import { unreachable } from '../base/assert.ts'
import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { Value } from '../codec/value/value.ts'
import { ByteWriter } from '../protocol/bytes.ts'
import { writeDown } from '../protocol/down-frame.ts'
import type { DownMessage, RefusedSubject, ResponseAnswer } from '../protocol/down-message.ts'
import { FRAME_BYTES_FULL } from '../protocol/limits.ts'
import { FRAME_VERSION } from '../protocol/frame.ts'
import { UpFrameReader, type UpMessage } from '../protocol/up-frame.ts'
import type { Reply } from '../session/state-machine.ts'
import type { ServerRequest } from '../session/user-machine.ts'
import type { ConnectionSink, GatewayAnswer, QueryAnswer, SubscriptionEnd } from './connection-sink.ts'
import type { GatewayConnection } from './gateway-connection.ts'
import type { Refusal } from './refusal.ts'
import type { SessionGateway } from './session-gateway.ts'

export interface FrameConnectionOptions {
  encodeValue(value: Value): Uint8Array
  /** Takes one frame; it is never written to again. */
  writeFrame(frame: Buffer): void
  /** Runs soon, after what is going on: one frame per turn. */
  defer(callback: () => void): void
  /** Bytes of written frames that are not on their way yet; `drained` is to be called as they leave. Default: none ever. */
  unsentBytes?(): number
  /** The connection must end; called at most once, after the last frame was sent. */
  end(code: string, message: string): void
}

/**
 * The server's end of one stream of session frames, without knowing what carries it: decodes what comes up into calls of
 * the gateway, and is the sink that turns answers into frames, one per turn (wire.md §1, steps 2–3).
 */
export class FrameConnection implements ConnectionSink {
  private readonly gateway: Pick<SessionGateway, 'connect' | 'greeting'>
  private readonly options: FrameConnectionOptions
  private readonly reader = new UpFrameReader()
  private readonly writer = new ByteWriter()
  private connection: GatewayConnection | null = null
  private flushPending = false
  private over = false

  constructor(gateway: Pick<SessionGateway, 'connect' | 'greeting'>, options: FrameConnectionOptions) {
    this.gateway = gateway
    this.options = options
  }

  /** Greets and starts to serve. What arrives before is not heard. */
  start(): void {
    this.connection = this.gateway.connect(this)
    this.write(this.gateway.greeting())
  }

  /** A frame from the client; a bad one ends the connection with MALFORMED_FRAME. */
  receiveFrame(frame: Uint8Array): void {
    if (this.over) return
    const error = this.reader.read(frame, (message) => this.dispatch(message))
    if (error !== null) this.failed('MALFORMED_FRAME', error)
  }

  /** The carrier is gone. */
  disconnected(): void {
    if (this.over) return
    this.over = true
    this.connection?.end()
  }

  /** Some of what was unsent is on its way. */
  drained(): void {
    if (!this.over) this.connection?.drained()
  }

  // The sink.

  get unsentBytes(): number {
    return this.options.unsentBytes?.() ?? 0
  }

  opened(channel: number, session: SessionNumbers, existing: boolean): void {
    this.write({
      kind: 'opened',
      channel,
      group: session.group,
      incarnation: session.incarnation,
      index: session.index,
      existing,
    })
  }

  attached(channel: number, reply: Extract<Reply, { kind: 'attached' }>): void {
    const { epoch, nextRequestId, acknowledged, timeoutMs } = reply
    this.write({ kind: 'attached', channel, epoch, nextRequestId, acknowledged, timeoutMs })
  }

  responded(channel: number, requestId: number, answer: GatewayAnswer): void {
    if (this.over) return
    this.write({ kind: 'response', channel, requestId, answer: this.encodeAnswer(answer) })
  }

  serverRequest(channel: number, request: ServerRequest): void {
    if (this.over) return
    const { serverRequestId, previousId, attempt, createdIndex, createdAt, type } = request
    const payload = this.options.encodeValue(request.payload)
    this.write({
      kind: 'serverRequest',
      channel,
      serverRequestId,
      previousId,
      attempt,
      index: createdIndex,
      now: createdAt,
      type,
      payload,
    })
  }

  acknowledged(channel: number, upTo: number): void {
    this.write({ kind: 'acknowledged', channel, upTo })
  }

  pong(channel: number): void {
    this.write({ kind: 'pong', channel })
  }

  queried(correlationId: number, position: { index: number; incarnation: number }, answer: QueryAnswer): void {
    if (this.over) return
    const { encodeValue } = this.options
    const { index, incarnation } = position
    if (answer.kind === 'value') {
      this.write({
        kind: 'queryResult',
        correlationId,
        index,
        incarnation,
        answer: { kind: 'ok', value: encodeValue(answer.value) },
      })
      return
    }
    const kind = answer.kind === 'reject' ? 'rejected' : 'refused'
    const details = encodeValue(answer.details)
    this.write({ kind: 'queryResult', correlationId, index, incarnation, answer: { kind, code: answer.code, details } })
  }

  changed(
    subscriptionId: number,
    { index, compacted }: { index: number; compacted: boolean },
    value: Uint8Array,
  ): void {
    this.write({ kind: 'change', subscriptionId, index, compacted, value })
  }

  subscriptionEnded(subscriptionId: number, { reason, code, details }: SubscriptionEnd): void {
    this.write({ kind: 'subscriptionEnded', subscriptionId, reason, code, details: this.options.encodeValue(details) })
  }

  closed(channel: number): void {
    this.write({ kind: 'closed', channel })
  }

  ended(channel: number, reason: 'expired' | 'closed'): void {
    this.write({ kind: 'ended', channel, reason })
  }

  superseded(channel: number): void {
    this.write({ kind: 'superseded', channel })
  }

  refused(channel: number, subject: RefusedSubject, refusal: Refusal): void {
    this.write({
      kind: 'refused',
      channel,
      subject,
      code: refusal.code,
      details: this.options.encodeValue(refusal.details),
    })
  }

  leaderChanged(leader: string, leaderAddress: string): void {
    this.write({ kind: 'leaderChanged', leader, leaderAddress })
  }

  /** Says why, then ends. */
  failed(code: string, message: string): void {
    if (this.over) return
    this.write({ kind: 'failed', code, message: message.slice(0, 300) })
    this.flush()
    this.over = true
    this.connection?.end()
    this.options.end(code, message)
  }

  private dispatch(message: UpMessage): void {
    const { connection } = this
    if (connection === null || this.over) return
    try {
      this.call(connection, message)
    } catch (error) {
      // A bug that one client found must not end the node, and with it everybody else's connections.
      this.failed('INTERNAL', `a ${message.kind} could not be served: ${sentenceOf(error)}`)
    }
  }

  private call(connection: GatewayConnection, message: UpMessage): void {
    switch (message.kind) {
      case 'request':
        return connection.receiveRequest(message)
      case 'ack':
        return connection.receiveAck(message.channel, message.serverRequestId)
      case 'ping':
        return connection.receivePing(message.channel)
      case 'query':
      case 'boundQuery':
        return connection.receiveQuery(message)
      case 'open':
        return connection.receiveOpen(message)
      case 'attach':
        return connection.receiveAttach(message)
      case 'close':
        return connection.receiveClose(message.channel)
      case 'subscribe':
        return connection.receiveSubscribe(message)
      case 'unsubscribe':
        return connection.receiveUnsubscribe(message.subscriptionId)
      default:
        return unreachable(message)
    }
  }

  private encodeAnswer(answer: GatewayAnswer): ResponseAnswer {
    const { encodeValue } = this.options
    if (answer.kind === 'unknown') return { kind: 'unknown', code: answer.code }
    if (answer.kind !== 'outcome') return { ...answer, details: encodeValue(answer.details) }
    const { index, replayed, invalidAck, outcome } = answer
    if (outcome.kind === 'value') return { kind: 'ok', index, replayed, invalidAck, value: encodeValue(outcome.value) }
    return { kind: 'rejected', index, replayed, invalidAck, code: outcome.code, details: encodeValue(outcome.details) }
  }

  /** PERF: everything that one turn says travels in one frame; a full one leaves at once. */
  private write(message: DownMessage): void {
    if (this.over) return
    const { writer } = this
    if (writer.length === 0) writer.byte(FRAME_VERSION)
    writeDown(writer, message)
    if (writer.length >= FRAME_BYTES_FULL) this.flush()
    if (this.flushPending) return
    this.flushPending = true
    this.options.defer(() => {
      this.flushPending = false
      this.flush()
    })
  }

  private flush(): void {
    if (this.over || this.writer.length === 0) return
    this.options.writeFrame(this.writer.take())
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
