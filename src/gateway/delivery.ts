import type { ServerRequest } from '../session/user-machine.ts'
import type { StateMachine } from '../session/state-machine.ts'

/** Where a session's server requests go. */
export interface DeliveryTarget {
  readonly machine: StateMachine
  readonly sessionIndex: number
  readonly credit: number
  deliverRequest(request: ServerRequest): void
}

/**
 * The sending side of one attached session's outbox: in id order, at most `credit` beyond the last ack, all above the last
 * ack again after an attach or a leader change (sessions.md §5, wire.md §5).
 */
export class Delivery {
  /** Highest id acknowledged, as far as this connection knows. */
  acknowledged: number
  /** Highest id sent since the last reset. */
  private delivered: number
  /** Highest id that may have been sent before that, here or to an earlier holder of the session. */
  private sentBefore: number
  /** Ids and attempts sent and not acknowledged, oldest first from `head`. */
  private outstanding: { id: number; attempt: number }[] = []
  private head = 0

  constructor(acknowledged: number, sentBefore: number) {
    this.acknowledged = acknowledged
    this.delivered = acknowledged
    this.sentBefore = sentBefore
  }

  /** Sends what is new, as far as the credit goes. */
  deliver(target: DeliveryTarget): void {
    const credit = target.credit - (this.outstanding.length - this.head)
    if (credit <= 0) return
    for (const request of target.machine.outbox(target.sessionIndex, this.delivered, credit)) {
      this.outstanding.push({ id: request.serverRequestId, attempt: request.attempt })
      this.delivered = request.serverRequestId
      target.deliverRequest(this.asSent(request))
    }
  }

  /**
   * Sends again what the log counts another attempt of; O(requests outstanding), after retry entries only. What the client
   * has acknowledged never goes out again, also while the log does not know of it yet: the outbox is read from the first
   * one without an ack on.
   */
  redeliver(target: DeliveryTarget): void {
    const first = this.outstanding[this.head]
    if (first === undefined) return
    const waiting = this.outstanding.length - this.head
    let at = this.head
    for (const request of target.machine.outbox(target.sessionIndex, first.id - 1, waiting)) {
      // What was dropped, replaced or buried since is in the outbox no more.
      while (at < this.outstanding.length && (this.outstanding[at]?.id ?? 0) < request.serverRequestId) at += 1
      const sent = this.outstanding[at]
      // Beyond the last one sent, `deliver` sends it.
      if (sent === undefined || sent.attempt === request.attempt) continue
      sent.attempt = request.attempt
      target.deliverRequest(this.asSent(request))
    }
  }

  /** Everything up to this id is handled: its credit is free at once, before the log has it. */
  release(upTo: number): void {
    while (this.head < this.outstanding.length && (this.outstanding[this.head]?.id ?? 0) <= upTo) this.head += 1
    if (this.head < 256 && this.head < this.outstanding.length) return
    this.outstanding = this.outstanding.slice(this.head)
    this.head = 0
  }

  /** The log has this ack. */
  acknowledge(upTo: number): void {
    this.acknowledged = Math.max(this.acknowledged, upTo)
    this.release(upTo)
  }

  /** Forgets what was sent, so that everything above the last ack goes out again. */
  reset(acknowledged: number): void {
    this.sentBefore = Math.max(this.sentBefore, this.delivered)
    this.acknowledged = acknowledged
    this.delivered = acknowledged
    this.outstanding = []
    this.head = 0
  }

  /** Another connection of the same epoch has sent these. */
  adopt(other: Delivery): void {
    this.sentBefore = Math.max(this.sentBefore, other.sentBefore, other.delivered)
  }

  /**
   * Attempt 1 promises a receiver that it has not seen the request. The log counts an attempt when it lets a request be sent
   * again on a live connection; sending after an attach, which is no entry of its own, counts here.
   */
  private asSent(request: ServerRequest): ServerRequest {
    if (request.serverRequestId > this.sentBefore) return request
    return { ...request, attempt: request.attempt + 1 }
  }
}
