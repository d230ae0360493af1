import type { SessionNumbers } from '../../codec/entry/payload.ts'
import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import { mayHoldSealed } from '../../codec/value/sealed.ts'
import type { RefusedSubject } from '../../protocol/down-message.ts'
import type { Reply } from '../../session/state-machine.ts'
import type { Outcome, ServerRequest } from '../../session/user-machine.ts'
import type { ConnectionSink, GatewayAnswer, QueryAnswer, SubscriptionEnd } from '../connection-sink.ts'
import type { Refusal } from '../refusal.ts'
import type { PersonalKeys } from './personal-keys.ts'

/** What a connection was to hear, tried again as keys come. False: a key is missing still. */
type Told = () => boolean

/**
 * The sink of a connection on a node with keys of subjects: what goes out is opened on its way, and is nowhere stored so
 * (docs/decisions/erasure.md). While a key is missing everything behind it waits, so that a client hears all in order; where
 * none
 * comes in time the connection ends, and another node is asked.
 */
export class OpeningSink implements ConnectionSink {
  private readonly sink: ConnectionSink
  private readonly keys: PersonalKeys
  private waiting: Told[] = []
  private over = false

  constructor(sink: ConnectionSink, keys: PersonalKeys) {
    this.sink = sink
    this.keys = keys
  }

  get unsentBytes(): number {
    return this.sink.unsentBytes
  }

  opened(channel: number, session: SessionNumbers, existing: boolean): void {
    this.plain(() => this.sink.opened(channel, session, existing))
  }

  attached(channel: number, reply: Extract<Reply, { kind: 'attached' }>): void {
    this.plain(() => this.sink.attached(channel, reply))
  }

  responded(channel: number, requestId: number, answer: GatewayAnswer): void {
    if (answer.kind !== 'outcome') return this.plain(() => this.sink.responded(channel, requestId, answer))
    this.tell(() => {
      const outcome = this.outcome(answer.outcome)
      if (outcome === undefined) return false
      this.sink.responded(channel, requestId, outcome === answer.outcome ? answer : { ...answer, outcome })
      return true
    })
  }

  serverRequest(channel: number, request: ServerRequest): void {
    this.tell(() => {
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
    this.tell(() => {
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
    this.tell(() => {
      const opened = this.keys.open(sealed)
      if (opened === undefined) return false
      this.sink.changed(subscriptionId, position, encodeValue(opened))
      return true
    })
  }

  subscriptionEnded(subscriptionId: number, end: SubscriptionEnd): void {
    if (end.reason === 'refused') return this.plain(() => this.sink.subscriptionEnded(subscriptionId, end))
    this.tell(() => {
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
    this.sink.failed(code, message)
  }

  private outcome(outcome: Outcome): Outcome | undefined {
    const held = outcome.kind === 'value' ? outcome.value : outcome.details
    const opened = this.keys.open(held)
    if (opened === undefined || opened === held) return opened === held ? outcome : undefined
    return outcome.kind === 'value' ? { ...outcome, value: opened } : { ...outcome, details: opened }
  }

  private plain(told: () => void): void {
    if (this.waiting.length === 0) return told()
    this.waiting.push(() => {
      told()
      return true
    })
  }

  private tell(told: Told): void {
    if (this.waiting.length > 0) return void this.waiting.push(told)
    if (told()) return
    this.waiting.push(told)
    this.wait()
  }

  private wait(): void {
    this.keys.whenKeysChange((changed) => {
      if (this.over) return
      if (changed) this.goOn()
      else this.failed('SUBJECT_KEY_PENDING', 'a key of a personal field did not come to this node in time')
    })
  }

  private goOn(): void {
    let told = 0
    while (told < this.waiting.length && this.waiting[told]?.() === true) told += 1
    this.waiting = this.waiting.slice(told)
    if (this.waiting.length > 0) this.wait()
  }
}
