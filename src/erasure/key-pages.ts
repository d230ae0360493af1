import type { Clock } from '../node/ports/clock.ts'
import { type KeyFiles, text } from './key-files.ts'
import { KEYS_PER_MESSAGE } from './key-messages.ts'
import type { SubjectKey } from './key-record.ts'

/** Ids that are looked at before others have their turn. */
const IDS_PER_TURN = 4096
const BUCKETS = 256

/** The ids that there were as somebody began to page, by their first byte; a list is in order once it is needed. */
interface Round {
  readonly sum: Uint8Array
  readonly buckets: readonly { readonly ids: string[]; sorted: boolean }[]
}

/**
 * A node's keys in pages, in the order of their ids. Ids are drawn, so that one in 256 begins with the same byte: a page sorts
 * a few of these parts, each once for all who page, and no turn of the loop sees all keys.
 */
export class KeyPages {
  private readonly files: KeyFiles
  private readonly clock: Clock
  private round: Round | null = null
  private beginning: Promise<Round> | null = null

  constructor(files: KeyFiles, clock: Clock) {
    this.files = files
    this.clock = clock
  }

  /**
   * Keys with an id above that; an empty one asks for the first. `more`: there may be others. A key that came after the first
   * page may be in none.
   */
  async after(id: Uint8Array): Promise<{ readonly keys: readonly SubjectKey[]; readonly more: boolean }> {
    const { buckets } = await this.roundFor(id.length === 0)
    const above = text(id)
    const keys: SubjectKey[] = []
    for (const bucket of buckets.slice(id[0] ?? 0)) {
      if (!bucket.sorted) bucket.ids.sort()
      bucket.sorted = true
      for (const each of bucket.ids) {
        if (each <= above) continue
        if (keys.length === KEYS_PER_MESSAGE) return { keys, more: true }
        // It may be destroyed since.
        const key = this.files.find(Buffer.from(each, 'hex'))
        if (key !== null) keys.push(key)
      }
    }
    return { keys, more: false }
  }

  private async roundFor(first: boolean): Promise<Round> {
    const { round, files } = this
    if (round !== null && (!first || Buffer.compare(round.sum, files.sum) === 0)) return round
    this.beginning ??= this.begin()
    return await this.beginning
  }

  private async begin(): Promise<Round> {
    const { sum } = this.files
    const buckets = Array.from({ length: BUCKETS }, () => ({ ids: [] as string[], sorted: false }))
    let seen = 0
    for (const id of this.files.ids()) {
      buckets[Number.parseInt(id.slice(0, 2), 16)]?.ids.push(id)
      seen += 1
      if (seen % IDS_PER_TURN === 0) await new Promise<void>((resolve) => this.clock.defer(resolve))
    }
    this.round = { sum, buckets }
    this.beginning = null
    return this.round
  }
}
