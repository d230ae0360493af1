/**
 * Ids of an ordered session that ended without having been executed, above the lowest pending one. The log takes nothing
 * behind the first of them until `lowestPendingRequestId` has passed it, so nothing behind it is sent until then.
 */
export class OrderGaps {
  /** Rising. */
  private ids: number[] = []

  /** The first id that is missing; Infinity: none. */
  get first(): number {
    return this.ids[0] ?? Number.POSITIVE_INFINITY
  }

  add(requestId: number): void {
    let at = this.ids.length
    while (at > 0 && (this.ids[at - 1] ?? 0) > requestId) at -= 1
    if (this.ids[at - 1] !== requestId) this.ids.splice(at, 0, requestId)
  }

  /** `lowestPendingRequestId` rose; true when it has passed one of them. */
  passed(lowest: number): boolean {
    const before = this.ids.length
    while (this.first < lowest) this.ids.shift()
    return this.ids.length < before
  }

  /** The session goes on above all ids that were used. */
  clear(): void {
    this.ids = []
  }
}
