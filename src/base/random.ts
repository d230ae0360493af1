/**
 * A small seeded generator (sfc32: 128 bits of state, passes PractRand to 32 TB). Deterministic in its seed, so it may
 * live in pure folders; never use it for secrets.
 */
export class Random {
  private a: number
  private b: number
  private c: number
  private counter = 1

  /** Any integers name a stream; equal lists give equal streams, e.g. `new Random(seed, purposeNumber)`. */
  constructor(...seed: readonly number[]) {
    let state = 0x9e3779b9
    const next = (word: number): number => {
      state = (Math.imul(state ^ word, 0x85ebca6b) + 0xc2b2ae35) | 0
      return (state ^ (state >>> 15)) | 0
    }
    for (const word of seed) {
      next(word | 0)
      next(Math.floor(word / 0x100000000) | 0)
    }
    this.a = next(1)
    this.b = next(2)
    this.c = next(3)
    for (let round = 0; round < 12; round += 1) this.uint32()
  }

  /** Uniform in [0, 2^32). */
  uint32(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum
    this.c |= 0
    return sum >>> 0
  }

  /** Uniform in [0, 1). */
  float(): number {
    return (this.uint32() * 0x200000 + (this.uint32() >>> 11)) / 0x20000000000000
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.float() * bound)
  }

  /** Uniform integer in [low, high]. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  /** True with the given probability in [0, 1]. */
  chance(probability: number): boolean {
    return this.float() < probability
  }

  /** One element of a list that is not empty. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item
  }
}
