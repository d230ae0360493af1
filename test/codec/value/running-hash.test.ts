import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Random } from '../../../src/base/random.ts'
import {
  type RunningHash,
  createRunningHash,
  finishHash,
  foldBytes,
  foldJoined,
  foldNumber,
  foldString,
  foldWord,
  hashText,
  requestHash,
} from '../../../src/codec/value/running-hash.ts'
import { sample } from '../../effort.ts'

/** The hash of bytes alone. */
function hash64(bytes: Uint8Array): RunningHash {
  const hash = createRunningHash()
  foldBytes(hash, bytes)
  return finishHash(hash)
}

const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value))

describe('the 64-bit hash', () => {
  test('golden values: it may never change, because it stands in logs and snapshots', () => {
    expect(hashText(hash64(text('')))).toBe('754751943f419f95')
    expect(hashText(hash64(text('a')))).toBe('0ab74f5492c99eee')
    expect(hashText(hash64(text('holdfast')))).toBe('9c9ee2c2fd969580')
    expect(hashText(requestHash('payments', 'requestBooking', text('{}')))).toBe('3ed3982b7584ac4b')
    const running = createRunningHash()
    foldNumber(running, 1.5)
    foldString(running, 'abc')
    foldBytes(running, Uint8Array.of(1, 2, 3, 4, 5))
    foldWord(running, -1)
    expect(hashText(running)).toBe('d95d5e355ec54137')
  })

  test('flipping any one bit flips every bit of the result with a probability near one half', () => {
    const random = new Random(7)
    for (const length of [1, 3, 4, 8, 33]) {
      const flips = new Array<number>(64).fill(0)
      const rounds = 600
      for (let round = 0; round < rounds; round += 1) {
        const bytes = Uint8Array.from({ length }, () => random.below(256))
        const before = hash64(bytes)
        const at = random.below(8 * length)
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
        const after = hash64(bytes)
        for (let bit = 0; bit < 32; bit += 1) {
          flips[bit] = (flips[bit] ?? 0) + (((before.low ^ after.low) >>> bit) & 1)
          flips[32 + bit] = (flips[32 + bit] ?? 0) + (((before.high ^ after.high) >>> bit) & 1)
        }
      }
      // Six standard deviations around one half of 600.
      for (const count of flips) expect(Math.abs(count - rounds / 2)).toBeLessThan(6 * Math.sqrt(rounds / 4))
    }
  })

  test('a hundred thousand short inputs do not collide', () => {
    const seen = new Set<string>()
    for (let index = 0; index < 100_000; index += 1) seen.add(hashText(hash64(text(index.toString(36)))))
    expect(seen.size).toBe(100_000)
  })

  test('it is not linear: the hash of an xor is not the xor of the hashes', () => {
    const [a, b] = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(9, 0, 7, 0)]
    const xor = a.map((byte, index) => byte ^ (b[index] ?? 0))
    const zero = hash64(new Uint8Array(4))
    expect((hash64(a).low ^ hash64(b).low ^ zero.low) >>> 0).not.toBe(hash64(xor).low)
  })

  test('lengths are folded: zeros, and strings next to each other, are told apart', () => {
    const lengths = new Set(Array.from({ length: 20 }, (_, length) => hashText(hash64(new Uint8Array(length)))))
    expect(lengths.size).toBe(20)
    expect(hashText(requestHash('ab', 'c', text('d')))).not.toBe(hashText(requestHash('a', 'bc', text('d'))))
    expect(hashText(requestHash('a', 'bc', text('d')))).not.toBe(hashText(requestHash('a', 'b', text('cd'))))
  })

  test('bytes and texts are folded word by word, whatever is left over at the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 19 }), fc.nat(), (bytes, start) => {
        const [fast, slow] = [
          { high: start, low: 7 },
          { high: start, low: 7 },
        ]
        foldBytes(fast, bytes)
        foldWord(slow, bytes.length)
        const padded = Buffer.alloc(4 * Math.ceil(bytes.length / 4))
        padded.set(bytes)
        for (let index = 0; index < padded.length; index += 4) foldWord(slow, padded.readInt32LE(index))
        expect(fast).toEqual(slow)
      }),
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 19 }), fc.nat(), (value, start) => {
        const [fast, slow] = [
          { high: start, low: 7 },
          { high: start, low: 7 },
        ]
        foldString(fast, value)
        foldWord(slow, value.length)
        for (let index = 0; index < value.length; index += 2) {
          const next = index + 1 < value.length ? value.charCodeAt(index + 1) : 0
          foldWord(slow, value.charCodeAt(index) | (next << 16))
        }
        expect(fast).toEqual(slow)
      }),
    )
  })

  test('two texts folded as one are folded like the one text that they make', () => {
    const part = fc.string({ unit: 'binary', maxLength: 12 })
    fc.assert(
      fc.property(part, part, fc.nat(), (prefix, value, start) => {
        const joined = { high: start >>> 0, low: Math.imul(start, 31) >>> 0 }
        const whole = { ...joined }
        foldJoined(joined, prefix, value)
        foldString(whole, prefix + value)
        expect(joined).toEqual(whole)
      }),
      { numRuns: sample(2000) },
    )
  })

  test('the halves stay uint32 and the text is their 16 digits', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), fc.double(), (bytes, string, number) => {
        const hash = createRunningHash()
        foldBytes(hash, bytes)
        foldString(hash, string)
        foldNumber(hash, number)
        expect([hash.high >>> 0, hash.low >>> 0]).toEqual([hash.high, hash.low])
        expect(hashText(finishHash(hash))).toMatch(/^[0-9a-f]{16}$/)
        expect(BigInt(`0x${hashText(hash)}`)).toBe((BigInt(hash.high) << 32n) | BigInt(hash.low))
      }),
      { numRuns: sample(200) },
    )
  })
})
