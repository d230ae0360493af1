import { type KeyRange, merged } from '../key-difference.ts'
import { KeyHeads, MISFIT } from './key-heads.ts'
import { KeyList } from './key-list.ts'
import { KeyPages } from './key-pages.ts'
import { KeyTexts } from './key-texts.ts'

/** How many keys wait where. */
export interface Waiting {
  /** Keys that are put in order together: some 0.3 ms, for whoever adds the last of them or reads. */
  readonly arrivedMax: number
  /** Keys that wait at most, but for those that are not in order yet. */
  readonly recentMax: number
  /** Keys that settle together: some 10 µs. */
  readonly pieceKeys: number
}

const WAITING: Waiting = { arrivedMax: 1024, recentMax: 32_768, pieceKeys: 64 }

/**
 * Keys that begin alike, as those of one index, in three parts. The newest keys are a list. When it is full, or somebody reads,
 * they go to their places among some ten thousands of recent ones, which settle among all the others in order, a piece at a
 * time, round and round.
 *
 * PERF: a key that goes straight to its place among a million finds nothing of it in the processor's caches. Many that go
 * together are merged with those that are there, and what is read from memory is read in a row.
 */
export class IndexKeys {
  readonly prefix: string
  private readonly texts = new KeyTexts()
  private readonly heads: KeyHeads
  private readonly settled: KeyPages
  private readonly recent: KeyPages
  /** The newest keys, as they came: none of them is in `recent` yet. */
  private readonly arrived: KeyList
  /** Version of the heads in `arrived`. */
  private arrivedVersion = 0
  private readonly piece: KeyList
  /** Recent keys below it have had their turn. */
  private turn = ''
  private readonly waiting: Waiting

  constructor(prefix: string, waiting = WAITING) {
    this.prefix = prefix
    this.waiting = waiting
    this.heads = new KeyHeads(prefix.length)
    this.settled = new KeyPages(this.texts, this.heads)
    this.recent = new KeyPages(this.texts, this.heads)
    this.arrived = new KeyList(waiting.arrivedMax)
    this.piece = new KeyList(waiting.pieceKeys)
  }

  /** Number of keys. */
  get size(): number {
    return this.arrived.count + this.recent.count + this.settled.count
  }

  /** Adds a key that is not in the set. */
  add(key: string): void {
    this.arrive(key)
    if (this.arrived.isFull) this.place()
  }

  /** Loads a key that is not in the set, among many. */
  restore(key: string): void {
    this.arrive(key)
    if (this.arrived.isFull) this.placeIn(this.settled)
  }

  /** Removes a key; false when it is not there. */
  delete(key: string): boolean {
    const head = this.heads.of(key)
    // Keys that are there have a head.
    if (head === MISFIT) return false
    return this.leave(key, head) || this.recent.delete(key, head) || this.settled.delete(key, head)
  }

  /** Keys in [from, to) in byte order, or from the end; at most `limit`. */
  range(bounds: KeyRange): readonly string[] {
    this.place()
    const settled = this.settled.range(bounds)
    if (this.recent.count === 0) return settled
    const recent = this.recent.range(bounds)
    return recent.length === 0 ? settled : merged(settled, recent, bounds)
  }

  /** How many keys lie in [from, to). */
  count(from: string, to: string): number {
    this.place()
    return this.settled.countIn(from, to) + this.recent.countIn(from, to)
  }

  private arrive(key: string): void {
    const { arrived, heads } = this
    const head = heads.widened(key)
    this.refresh()
    arrived.push(head, this.texts.keep(key))
  }

  /** Takes a key out of the newest ones, if it is one of them. PERF: 0.2 µs; to place them takes up to 500. */
  private leave(key: string, head: number): boolean {
    const { arrived, texts } = this
    const { heads, places, count } = arrived
    for (let at = 0; at < count; at += 1) {
      if (heads[at] !== head || texts.at(places[at] as number) !== key) continue
      texts.forget(places[at] as number)
      arrived.remove(at)
      return true
    }
    return false
  }

  /** Puts the newest keys among the recent ones, and as many of those among the settled ones as are too many. */
  private place(): void {
    if (this.arrived.count === 0) return
    this.placeIn(this.recent)
    const { recentMax, pieceKeys } = this.waiting
    while (this.recent.count >= recentMax + pieceKeys) this.settle()
  }

  private placeIn(pages: KeyPages): void {
    this.arrived.sort(this.texts)
    pages.addAll(this.arrived)
    this.arrived.count = 0
  }

  private settle(): void {
    const { piece, recent, settled, texts } = this
    recent.takeFrom(this.turn, piece)
    settled.addAll(piece)
    this.turn = piece.count === 0 ? '' : `${texts.at(piece.places[piece.count - 1] as number)}\u0000`
  }

  /** Makes the heads of the newest keys such that they can be compared with others. */
  private refresh(): void {
    const { arrived, heads } = this
    if (this.arrivedVersion === heads.version) return
    heads.renew(arrived.heads, arrived.count, this.arrivedVersion)
    this.arrivedVersion = heads.version
  }
}
