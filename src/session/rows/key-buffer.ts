import { assert } from '../../base/assert.ts'
import type { RunningHash } from '../../codec/value/running-hash.ts'
import type { SessionCodec } from '../../codec/session-codec.ts'
import type { KeyStore } from '../user-machine.ts'
import { BARE_VALUE, type BareKeys, isBareKey } from './bare-keys.ts'
import { KeyDifference } from './key-difference.ts'
import { assertBinary, assertLimit, USER_PREFIX } from './row-keys.ts'
import type { RowWatches } from './row-watches.ts'
import { PIECE_ITEMS, StagedList } from './staged-list.ts'

/** Steps from which on the difference is kept, so that a long transaction is never read through at once: 0.5 ms of work. */
const KEPT_FROM = 1024

/** What a transaction does to a key, from before it to behind it. */
export interface BareChange {
  readonly key: string
  readonly before: typeof BARE_VALUE | undefined
  readonly after: typeof BARE_VALUE | undefined
}

/**
 * The bare keys that the running transaction adds and takes away, folded into the running hash as rows are.
 *
 * PERF: one after the other, as they come. How they differ from the stored ones is put together when the transaction asks for
 * some, and kept from then on.
 */
export class KeyBuffer implements KeyStore {
  private readonly keys = new StagedList<string>()
  /** Of each of them whether it comes or goes. */
  private readonly comes = new StagedList<boolean>()
  /** Null: nobody has asked yet. */
  private difference: KeyDifference | null = null
  /** Whether keys that are taken away are looked for as that is staged. */
  private checks = false
  private readonly stored: BareKeys
  private readonly codec: SessionCodec
  private readonly hash: RunningHash

  constructor(stored: BareKeys, codec: SessionCodec, hash: RunningHash) {
    this.stored = stored
    this.codec = codec
    this.hash = hash
  }

  /** From now on each key that is taken away is looked for at once: nothing that is staged can be refused any more. */
  checkEach(): void {
    this.checks = true
  }

  /** What is staged, of so many steps. */
  get size(): number {
    return this.keys.size
  }

  add(key: string): void {
    assertBare(key)
    this.codec.foldJoined(this.hash, USER_PREFIX, key)
    this.codec.walk(BARE_VALUE, this.hash)
    this.stage(key, true)
  }

  delete(key: string): void {
    assertBare(key)
    if (this.checks) assertThere(this.range({ from: key, to: `${key}\u0000`, limit: 1 }).length > 0, key)
    this.codec.foldJoined(this.hash, USER_PREFIX, key)
    this.codec.foldNumber(this.hash, 0)
    this.stage(key, false)
  }

  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): readonly string[] {
    const { from, to, limit, reverse = false } = bounds
    assertLimit(limit)
    const range = { from, to, limit, reverse }
    return this.keys.size === 0 ? this.stored.range(range) : this.differing().range(this.stored, range)
  }

  count({ from, to }: { from: string; to: string }): number {
    return this.keys.size === 0 ? this.stored.count(from, to) : this.differing().count(this.stored, from, to)
  }

  /** Keys that come or go with the transaction, in order of the first step of each. */
  changes(): BareChange[] {
    const steps = new Map<string, { readonly first: boolean; last: boolean }>()
    for (let at = 0; at < this.keys.size; at += 1) {
      const known = steps.get(this.keys.at(at))
      if (known === undefined) steps.set(this.keys.at(at), { first: this.comes.at(at), last: this.comes.at(at) })
      else known.last = this.comes.at(at)
    }
    // One that comes first was not there before.
    return [...steps].flatMap(([key, { first, last }]) => {
      if (first !== last) return []
      return [{ key, before: first ? undefined : BARE_VALUE, after: last ? BARE_VALUE : undefined }]
    })
  }

  /** Tells who watches which keys come and go. */
  tell(watches: RowWatches): void {
    for (let at = 0; at < this.keys.size; at += 1) watches.written(this.keys.at(at))
  }

  /** Carries the steps out. One that takes away a key which is not there is an AssertionError: those before it are done. */
  commit(): void {
    for (let at = 0; at < this.keys.size; at += 1) this.move(at)
    this.clear()
  }

  /**
   * As `commit`, and the steps before one that fails are taken back. PERF: keys that go are looked for once, as they go; to ask
   * for them before would do it twice.
   */
  commitWhole(): void {
    let done = 0
    try {
      for (; done < this.keys.size; done += 1) this.move(done)
    } catch (error) {
      for (done -= 1; done >= 0; done -= 1) this.moveBack(done)
      throw error
    }
    this.clear()
  }

  /** From here on the steps are carried out one by one (`settle`), and those that are not yet are told by the difference. */
  publish(): void {
    if (this.keys.size > 0) this.differing()
  }

  /** Carries out what was published, a piece at a time; between two pieces the keys read the same. */
  *settle(): Generator<void, void> {
    for (let at = 0; at < this.keys.size; at += 1) {
      if (at > 0 && at % PIECE_ITEMS === 0) yield
      // What the stored keys have taken over, they do not differ by.
      if (this.comes.at(at)) this.difference?.delete(this.keys.at(at))
      else this.difference?.add(this.keys.at(at))
      this.move(at)
    }
    this.clear()
  }

  /** Drops what is staged. */
  clear(): void {
    this.checks = false
    if (this.keys.size === 0) return
    this.difference = null
    this.keys.clear()
    this.comes.clear()
  }

  private stage(key: string, comes: boolean): void {
    this.keys.add(key)
    this.comes.add(comes)
    if (this.difference === null) {
      if (this.keys.size > KEPT_FROM) this.differing()
    } else if (comes) this.difference.add(key)
    else this.difference.delete(key)
  }

  private differing(): KeyDifference {
    if (this.difference !== null) return this.difference
    const difference = new KeyDifference()
    for (let at = 0; at < this.keys.size; at += 1) {
      if (this.comes.at(at)) difference.add(this.keys.at(at))
      else difference.delete(this.keys.at(at))
    }
    this.difference = difference
    return difference
  }

  private move(at: number): void {
    if (this.comes.at(at)) this.stored.add(this.keys.at(at))
    else this.stored.delete(this.keys.at(at))
  }

  private moveBack(at: number): void {
    if (this.comes.at(at)) this.stored.delete(this.keys.at(at))
    else this.stored.add(this.keys.at(at))
  }
}

function assertThere(there: boolean, key: string): void {
  if (!there) assert(false, 'a bare key that goes was there', { key })
}

function assertBare(key: string): void {
  if (!isBareKey(key)) throw new TypeError('a bare key lies under `<name>/.`: other rows are set with a value')
  assertBinary(key)
}
