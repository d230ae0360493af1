import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import { mayHoldSealed } from '../../codec/value/sealed.ts'
import type { Value } from '../../codec/value/value.ts'
import type { RefusedSubject } from '../../protocol/down-message.ts'
import type { Reply } from '../../session/state-machine.ts'
import type { Outcome, ServerRequest } from '../../session/user-machine.ts'
import type { ConnectionSink, GatewayAnswer, QueryAnswer, SubscriptionEnd } from '../connection-sink.ts'
import type { Refusal } from '../refusal.ts'
import type { PersonalKeys } from './personal-keys.ts'

/** What a connection was to hear, tried again as keys come. False: a key is missing still. */
type Told = () => boolean

/** What one of them takes while it waits, besides its value. */
const ENVELOPE_BYTES = 256

interface Waiting {
  readonly told: Told
  readonly bytes: number
}

/**
 * The sink of a connection on a node with keys of subjects: what goes out is opened on its way, and is nowhere stored so
 * (docs/decisions/erasure.md). While a key is missing everything behind it waits, so that a client hears all in order; where
 * none comes in time the connection ends, and another node is asked.
 */
export class OpeningSink implements ConnectionSink {
  private readonly sink: ConnectionSink
  private readonly keys: PersonalKeys
  private readonly drained: () => void
  private waiting: Waiting[] = []
  private waitingBytes = 0
  private endWait: (() => void) | null = null
  private over = false

  /** `drained`: some of what waited has been told. */
  constructor(sink: ConnectionSink, keys: PersonalKeys, drained: () => void) {
    this.sink = sink
    this.keys = keys
    this.drained = drained
  }

  get unsentBytes(): number {
    return this.sink.unsentBytes + this.waitingBytes
  }

  opened(channel: number, session: SessionNumbers, existing: boolean): void {
    this.plain(() => this.sink.opened(channel, session, existing))
  }

  attached(channel: number, reply: Extract<Reply, { kind: 'attached' }>): void {
    this.plain(() => this.sink.attached(channel, reply))
  }

  responded(channel: number, requestId: number, answer: GatewayAnswer): void {
    if (answer.kind !== 'outcome') return this.plain(() => this.sink.responded(channel, requestId, answer))
    this.tell(heldValue(answer.outcome), () => {
      const outcome = this.outcome(answer.outcome)
      if (outcome === undefined) return false
      this.sink.responded(channel, requestId, outcome === answer.outcome ? answer : { ...answer, outcome })
      return true
    })
  }

  serverRequest(channel: number, request: ServerRequest): void {
    this.tell(request.payload, () => {
      const payload = this.keys.open(request.payload)
      if (payload === undefined) return false
      this.sink.serverRequest(channel, payload === request.payload ? request : { ...request, payload })
      return true
    })
  }

  acknowledged(channel: number, upTo: number): void {
    this.plain(() => this.sink.acknowledged(channel, upTo))
  }

  pong(channel: number): void {
    this.plain(() => this.sink.pong(channel))
  }

  queried(correlationId: number, position: { index: number; incarnation: number }, answer: QueryAnswer): void {
    if (answer.kind === 'refused') return this.plain(() => this.sink.queried(correlationId, position, answer))
    this.tell(heldValue(answer), () => {
      const outcome = this.outcome(answer)
      if (outcome === undefined) return false
      this.sink.queried(correlationId, position, outcome)
      return true
    })
  }

  changed(subscriptionId: number, position: { index: number; compacted: boolean }, value: Uint8Array): void {
    if (this.waiting.length === 0 && !mayHoldSealed(value)) return this.sink.changed(subscriptionId, position, value)
    // The encoded value is gone once this returns.
    const sealed = decodeValue(value)
    this.tell(sealed, () => {
      const opened = this.keys.open(sealed)
      if (opened === undefined) return false
      this.sink.changed(subscriptionId, position, encodeValue(opened))
      return true
    })
  }

  subscriptionEnded(subscriptionId: number, end: SubscriptionEnd): void {
    if (end.reason === 'refused') return this.plain(() => this.sink.subscriptionEnded(subscriptionId, end))
    this.tell(end.details, () => {
      const details = this.keys.open(end.details)
      if (details === undefined) return false
      this.sink.subscriptionEnded(subscriptionId, { ...end, details })
      return true
    })
  }

  closed(channel: number): void {
    this.plain(() => this.sink.closed(channel))
  }

  ended(channel: number, reason: 'expired' | 'closed'): void {
    this.plain(() => this.sink.ended(channel, reason))
  }

  superseded(channel: number): void {
    this.plain(() => this.sink.superseded(channel))
  }

  refused(channel: number, subject: RefusedSubject, refusal: Refusal): void {
    this.plain(() => this.sink.refused(channel, subject, refusal))
  }

  leaderChanged(leader: string, leaderAddress: string): void {
    this.sink.leaderChanged(leader, leaderAddress)
  }

  failed(code: string, message: string): void {
    this.over = true
    this.endWait?.()
    this.waiting = []
    this.waitingBytes = 0
    this.sink.failed(code, message)
  }

  private outcome(outcome: Outcome): Outcome | undefined {
    const held = heldValue(outcome)
    const opened = this.keys.open(held)
    if (opened === undefined || opened === held) return opened === held ? outcome : undefined
    return outcome.kind === 'value' ? { ...outcome, value: opened } : { ...outcome, details: opened }
  }

  private plain(told: () => void): void {
    if (this.waiting.length === 0) return told()
    this.push(0, () => {
      told()
      return true
    })
  }

  private tell(value: Value, told: Told): void {
    const first = this.waiting.length === 0
    if (first && told()) return
    // PERF: only what has to wait is measured.
    this.push(encodeValue(value).length, told)
    if (first && !this.over) this.wait()
  }

  private push(bytes: number, told: Told): void {
    if (this.over) return
    this.waiting.push({ told, bytes: bytes + ENVELOPE_BYTES })
    this.waitingBytes += bytes + ENVELOPE_BYTES
  }

  /** For the first that waits: its time begins once, whatever keys come meanwhile. */
  private wait(): void {
    this.endWait = this.keys.whenKeysChange((changed) => {
      if (this.over) return
      if (changed) this.goOn()
      else this.failed('SUBJECT_KEY_PENDING', 'a key of a personal field did not come to this node in time')
    })
  }

  private goOn(): void {
    let told = 0
    while (!this.over && this.waiting[told]?.told() === true) {
      this.waitingBytes -= this.waiting[told]?.bytes ?? 0
      told += 1
    }
    if (told === 0 || this.over) return
    this.waiting = this.waiting.slice(told)
    this.endWait?.()
    if (this.waiting.length > 0) this.wait()
    this.drained()
  }
}

function heldValue(outcome: Outcome): Value {
  return outcome.kind === 'value' ? outcome.value : outcome.details
}
