/** What keep-alive needs of its session. */
export interface KeepAliveOptions {
  readonly timeoutMs: number
  /** Monotonic ms; the session is young when this is made. */
  now(): number
  sendPing(): void
  onSuspended(): void
  onResumed(): void
}

/** Pings go out when nothing was confirmed for a quarter of the timeout: below the third that a new leader allows for. */
const PING_PART = 4

/** Keeps an attached session from expiring, and notices when it may have expired all the same (wire.md §8.3). */
export class KeepAlive {
  private readonly options: KeepAliveOptions
  /** The session's timeout, ms; its attach says what was granted. */
  timeoutMs: number
  /** When the newest message was sent that the server has answered as applied, monotonic ms: the session was renewed then. */
  private confirmedAt: number
  private pingSentAt = 0
  /** When pings were sent, rising: as many as have no answer, and none of them later than the one whose place it has. */
  private unansweredPings: number[] = []
  private isSuspended = false

  constructor(options: KeepAliveOptions) {
    this.options = options
    this.timeoutMs = options.timeoutMs
    this.confirmedAt = options.now()
  }

  /** Nothing was heard for the session's timeout. */
  get suspended(): boolean {
    return this.isSuspended
  }

  /** A ping is under way. */
  get awaitsAnswer(): boolean {
    return this.unansweredPings.length > 0
  }

  /** Every now and then, once it was attached: a ping when one is due, and the news of suspension. */
  tick(now: number, canSend: boolean): void {
    if (now - this.confirmedAt > this.timeoutMs && !this.isSuspended) {
      this.isSuspended = true
      this.options.onSuspended()
    }
    const quietMs = this.timeoutMs / PING_PART
    if (!canSend || now - this.confirmedAt < quietMs || now - this.pingSentAt < quietMs) return
    this.pingSentAt = now
    this.unansweredPings.push(now)
    this.options.sendPing()
  }

  /**
   * What was sent then was applied, which renewed the session. An answer that took longer than the timeout says nothing of what
   * became of the session since: it stays suspended.
   */
  confirmed(sentAt: number): void {
    if (sentAt > this.confirmedAt) this.confirmedAt = sentAt
    if (!this.isSuspended || this.options.now() - this.confirmedAt > this.timeoutMs) return
    this.isSuspended = false
    this.options.onResumed()
  }

  /** A ping was answered, which may be any of them: the session was renewed when the oldest was sent, or later. */
  pingAnswered(): void {
    this.confirmed(this.unansweredPings.shift() ?? 0)
  }

  /**
   * A ping was refused, which may be any of them: a later one may be refused before an earlier one is answered. The latest time
   * goes, or what answers the earlier one would speak for the later, which renewed nothing.
   */
  pingRefused(): void {
    this.unansweredPings.pop()
  }

  /** The leader is no longer reached: pings under way are not answered any more. */
  disconnected(): void {
    this.pingSentAt = 0
    this.unansweredPings = []
  }
}
