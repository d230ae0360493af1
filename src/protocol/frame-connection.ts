import type { SessionNumbers } from '../codec/entry/payload.ts'
import type { Value } from '../codec/value/value.ts'
import { ByteWriter } from './bytes.ts'
import { writeDown } from './down-frame.ts'
import type { DownMessage, GreetingMessage, RefusedSubject, ResponseAnswer } from './down-message.ts'
import { FRAME_BYTES_FULL } from './limits.ts'
import {
  type AttachMessage,
  FRAME_VERSION,
  type OpenMessage,
  type QueryMessage,
  type RequestMessage,
  UpFrameReader,
  type UpMessage,
} from './up-frame.ts'

/** What the up messages of one connection call; the node's gateway connection has this shape. */
export interface FramePort {
  open(message: OpenMessage): void
  attach(message: AttachMessage): void
  request(message: RequestMessage): void
  ack(channel: number, serverRequestId: number): void
  ping(channel: number): void
  query(message: QueryMessage): void
  close(channel: number): void
  end(): void
}

/** A value or a machine's rejection, as apply answers. */
type OutcomeValue =
  | { readonly kind: 'value'; readonly value: Value }
  | { readonly kind: 'reject'; readonly code: string; readonly details: Value }

type AnswerValue =
  | {
      readonly kind: 'outcome'
      readonly outcome: OutcomeValue
      readonly replayed: boolean
      readonly index: number
      readonly invalidAck: boolean
    }
  | { readonly kind: 'refused'; readonly index: number; readonly code: string; readonly details: Value }
  | { readonly kind: 'notExecuted'; readonly code: string; readonly details: Value }
  | { readonly kind: 'unknown'; readonly code: string }

type QueryValue = OutcomeValue | { readonly kind: 'refused'; readonly code: string; readonly details: Value }

export interface FrameConnectionOptions {
  encodeValue(value: Value): Uint8Array
  /** Takes one frame; it is never written to again. */
  send(frame: Buffer): void
  /** Runs soon, after what is going on: one frame per turn. */
  defer(callback: () => void): void
  /** The connection must end; called at most once, after the last frame was sent. */
  end(code: string, message: string): void
}

/**
 * The server's end of one stream of session frames, without knowing what carries it: decodes what comes up into calls of
 * a port, and is the sink that turns answers into frames, one per turn.
 */
export class FrameConnection {
  private readonly options: FrameConnectionOptions
  private readonly reader = new UpFrameReader()
  private readonly writer = new ByteWriter()
  private port: FramePort | null = null
  private flushPending = false
  private over = false

  constructor(options: FrameConnectionOptions) {
    this.options = options
  }

  /** Greets and starts to serve. */
  start(port: FramePort, greeting: Omit<GreetingMessage, 'kind'>): void {
    this.port = port
    this.write({ kind: 'greeting', ...greeting })
  }

  /** A frame from the client; a bad one ends the connection. */
  receive(frame: Uint8Array): void {
    if (this.over) return
    const error = this.reader.read(frame, (message) => this.dispatch(message))
    if (error !== null) this.failed('MALFORMED_FRAME', error)
  }

  /** The carrier is gone. */
  disconnected(): void {
    if (this.over) return
    this.over = true
    this.port?.end()
  }

  // The sink.

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

  attached(
    channel: number,
    reply: { epoch: number; nextRequestId: number; acknowledged: number; timeoutMs: number },
  ): void {
    const { epoch, nextRequestId, acknowledged, timeoutMs } = reply
    this.write({ kind: 'attached', channel, epoch, nextRequestId, acknowledged, timeoutMs })
  }

  responded(channel: number, requestId: number, answer: AnswerValue): void {
    if (this.over) return
    this.write({ kind: 'response', channel, requestId, answer: this.encodeAnswer(answer) })
  }

  serverRequest(
    channel: number,
    request: {
      readonly serverRequestId: number
      readonly previousId: number
      readonly attempt: number
      readonly createdIndex: number
      readonly createdAt: number
      readonly type: string
      readonly payload: Value
    },
  ): void {
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

  queried(correlationId: number, position: { index: number; incarnation: number }, answer: QueryValue): void {
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

  closed(channel: number): void {
    this.write({ kind: 'closed', channel })
  }

  ended(channel: number, reason: 'expired' | 'closed'): void {
    this.write({ kind: 'ended', channel, reason })
  }

  superseded(channel: number): void {
    this.write({ kind: 'superseded', channel })
  }

  refused(channel: number, subject: RefusedSubject, refusal: { code: string; details: Value }): void {
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
    this.port?.end()
    this.options.end(code, message)
  }

  private dispatch(message: UpMessage): void {
    const { port } = this
    if (port === null || this.over) return
    try {
      this.call(port, message)
    } catch (error) {
      // A bug that one client found must not end the node, and with it everybody else's connections.
      this.failed('INTERNAL', `a ${message.kind} could not be served: ${sentenceOf(error)}`)
    }
  }

  private call(port: FramePort, message: UpMessage): void {
    switch (message.kind) {
      case 'request':
        return port.request(message)
      case 'ack':
        return port.ack(message.channel, message.serverRequestId)
      case 'ping':
        return port.ping(message.channel)
      case 'query':
        return port.query(message)
      case 'open':
        return port.open(message)
      case 'attach':
        return port.attach(message)
      case 'close':
        return port.close(message.channel)
    }
  }

  private encodeAnswer(answer: AnswerValue): ResponseAnswer {
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
    this.options.send(this.writer.take())
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
