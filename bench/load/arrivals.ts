/** The moments at which requests of an open loop are due: so many a second, evenly spaced, whatever became of those before. */
export class Arrivals {
  private readonly beganAt: number
  private readonly everyMs: number
  private taken = 0

  /** The first one is due at `beganAt`, ms. */
  constructor(perSecond: number, beganAt: number) {
    this.beganAt = beganAt
    this.everyMs = 1000 / perSecond
  }

  /** When the next one was due, ms, which is taken by that; null: it is not due by `now`. */
  takeDue(now: number): number | null {
    const at = this.beganAt + this.taken * this.everyMs
    if (at > now) return null
    this.taken += 1
    return at
  }
}
