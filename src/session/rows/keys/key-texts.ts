import { PagedList } from '../../../base/paged-list.ts'

/**
 * Texts under small integers, which take their place in lists that are put in order.
 *
 * PERF: lists of integers are moved without a thought of the garbage collector, which sees each text in one place as long as
 * it is kept.
 */
export class KeyTexts {
  /** A text, or the place that was free before this one became free; −1: there was none. */
  private readonly places = new PagedList<string | number>()
  private free = -1

  /** Keeps a text; what it is known by is below 2^31. */
  keep(text: string): number {
    const place = this.free
    if (place < 0) {
      this.places.push(text)
      return this.places.length - 1
    }
    this.free = this.places.at(place) as number
    this.places.set(place, text)
    return place
  }

  /** The text of a place that is kept. */
  at(place: number): string {
    return this.places.at(place) as string
  }

  /** Forgets a text; its place is another's from now on. */
  forget(place: number): void {
    this.places.set(place, this.free)
    this.free = place
  }
}
