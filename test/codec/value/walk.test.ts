import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createRunningHash,
  foldBytes,
  foldNumber,
  foldString,
  foldWord,
  hashText,
  type RunningHash,
} from '../../../src/codec/value/running-hash.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { ValueError } from '../../../src/codec/value/value-error.ts'
import { decodeValue } from '../../../src/codec/value/decode.ts'
import { encodeValue } from '../../../src/codec/value/encode.ts'
import { VALUE_BYTES_MAX, VALUE_NODES_MAX } from '../../../src/codec/value/bounds.ts'
import { walk, walkRow } from '../../../src/codec/value/walk.ts'
import { bomb, nested, refused, values } from './values.ts'
import { sample } from '../../effort.ts'

function hashOf(value: unknown): string {
  const hash = createRunningHash()
  walk(value, hash)
  return hashText(hash)
}

/** A value folded as docs/format.md says, by the fold functions and without the walk's own lanes. */
function foldValue(hash: RunningHash, value: Value): void {
  if (value === null) return foldWord(hash, 1)
  if (typeof value === 'boolean') return foldWord(hash, value ? 3 : 2)
  if (typeof value === 'number') {
    const whole = (value | 0) === value
    foldWord(hash, whole ? 4 : 5)
    return whole ? foldWord(hash, value) : foldNumber(hash, value)
  }
  if (typeof value === 'string') {
    foldWord(hash, 6)
    return foldString(hash, value)
  }
  if (value instanceof Uint8Array) {
    foldWord(hash, 7)
    return foldBytes(hash, value)
  }
  const entries = Object.entries(value)
  foldWord(hash, Array.isArray(value) ? 8 : 9)
  foldWord(hash, entries.length)
  for (const [key, inner] of entries) {
    if (!Array.isArray(value)) foldString(hash, key)
    foldValue(hash, inner)
  }
}

describe('the walk', () => {
  test('golden hash: it may never change, because replicas of two releases compare it', () => {
    const value = {
      id: 'bkg-1',
      amount: 125_000,
      at: 1_700_000_000_000,
      rate: 0.5,
      low: -7,
      ok: true,
      no: false,
      nil: null,
      tags: ['é', '😀', ''],
      raw: Uint8Array.of(1, 2, 3, 4, 5),
    }
    expect(hashOf(value)).toBe('a4f5c287f1995330')
  })

  test('it folds what the fold functions fold: the walk keeps the lanes itself, and the step is one', () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, start) => {
        const walked = { high: start, low: Math.imul(start, 31) >>> 0 }
        const folded = { ...walked }
        walk(value, walked)
        foldValue(folded, value)
        expect(walked).toEqual(folded)
      }),
      { numRuns: sample(500) },
    )
  })

  test('the size is the exact length of the encoding', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(walk(value, createRunningHash())).toBe(encodeValue(value).length)
      }),
      { numRuns: sample(500) },
    )
  })

  test('UPC-3 a value that went through a snapshot folds to the same hash as the live one', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const live = createRunningHash()
        const restored = createRunningHash()
        for (const value of [first, second]) {
          walk(value, live)
          walk(decodeValue(encodeValue(value)), restored)
        }
        expect(restored).toEqual(live)
      }),
      { numRuns: sample(300) },
    )
  })

  test('values that differ fold to hashes that differ', () => {
    fc.assert(
      fc.property(values, values, (first, second) => {
        const same = Buffer.from(encodeValue(first)).equals(encodeValue(second))
        expect(hashOf(first) === hashOf(second)).toBe(same)
      }),
      { numRuns: sample(300) },
    )
    const alike: Value[] = [
      null,
      false,
      true,
      0,
      1,
      '',
      '0',
      [],
      {},
      [[]],
      [{}],
      [0],
      ['0'],
      { 0: 0 },
      new Uint8Array(0),
      new Uint8Array(1),
      ['a', 'b'],
      ['ab'],
      { a: 'b' },
      [1, 2],
      [[1], 2],
      [1, [2]],
      2 ** 40,
      '\u0000',
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ]
    expect(new Set(alike.map(hashOf)).size).toBe(alike.length)
  })

  test('it freezes every array and object, at any depth', () => {
    const value = { list: [{ deep: [1] }], map: { a: {} } }
    walk(value, createRunningHash())
    for (const part of [value, value.list, value.list[0], value.list[0]?.deep, value.map, value.map.a])
      expect(Object.isFrozen(part)).toBe(true)
  })

  test.each(refused)('FM-1 $what is refused, with its path and the hash untouched', ({ value, reason, path }) => {
    const hash = createRunningHash()
    let error: unknown = null
    try {
      walk([1, value], hash)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(ValueError)
    if (!(error instanceof ValueError)) return
    expect([error.reason, error.path]).toEqual([reason, `[1]${path}`])
    expect(hash).toEqual(createRunningHash())
  })

  test('33 levels are refused, with the path; a row may wrap a value of 32 levels in eight more', () => {
    const refusal = (run: () => unknown): unknown => {
      try {
        return run()
      } catch (error) {
        return error
      }
    }
    expect(refusal(() => walk(nested(33), createRunningHash()))).toMatchObject({
      reason: 'TOO_DEEP',
      path: '.a'.repeat(32),
    })
    expect(() => walk(nested(32), createRunningHash())).not.toThrow()
    expect(() => walkRow(nested(40), createRunningHash())).not.toThrow()
    expect(refusal(() => walkRow(nested(41), createRunningHash()))).toMatchObject({ reason: 'TOO_DEEP' })
  })

  test('what the walk accepts can be stored and sent, wrapped as deep and as full as the product does', () => {
    const full: unknown[] = new Array(VALUE_NODES_MAX - 1).fill(null)
    walk(full, createRunningHash())
    for (const value of [nested(32), full]) {
      const row = { row: { request: { payload: { body: { details: value } }, attempt: 1 } } }
      const encoded = encodeValue(row as Value)
      expect(walkRow(row, createRunningHash())).toBe(encoded.length)
      expect(() => decodeValue(encoded)).not.toThrow()
    }
  })

  test('what the walk accepts the encoder accepts, to the very byte', () => {
    expect(walk(new Uint8Array(VALUE_BYTES_MAX - 5), createRunningHash())).toBe(VALUE_BYTES_MAX)
    expect(() => walk(new Uint8Array(VALUE_BYTES_MAX - 4), createRunningHash())).toThrow(ValueError)
    expect(() => walk(bomb(), createRunningHash())).toThrow(/too many nodes/)
  })
})
