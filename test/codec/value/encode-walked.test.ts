import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createRunningHash } from '../../../src/codec/value/running-hash.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { ValueError } from '../../../src/codec/value/value-error.ts'
import { decodeValue } from '../../../src/codec/value/decode.ts'
import { encodeValue, encodeView } from '../../../src/codec/value/encode.ts'
import { encodeWalked } from '../../../src/codec/value/encode-walked.ts'
import { walk } from '../../../src/codec/value/walk.ts'
import { values } from './values.ts'
import { sample } from '../../effort.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the encoder of what a walk accepted', () => {
  test('it writes the bytes of encodeValue', () => {
    fc.assert(
      fc.property(values, (value) => {
        const checked = hex(encodeValue(value))
        walk(value, createRunningHash())
        expect(hex(encodeWalked(value))).toBe(checked)
      }),
      { numRuns: sample(500) },
    )
  })

  test('so does the view of the slab that encodeView gives, which refuses what encodeValue refuses', () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 5 }), (list) => {
        const views = list.map((value) => encodeView(value))
        expect(views.map(hex)).toEqual(list.map((value) => hex(encodeValue(value))))
        expect(() => encodeView([...list, undefined] as never)).toThrow(ValueError)
        for (const [at, value] of list.entries())
          expect(hex(views[at] ?? new Uint8Array(0))).toBe(hex(encodeValue(value)))
      }),
      { numRuns: sample(100) },
    )
  })

  test('keys are written and read alike whether they were foreseen, found or new', () => {
    const key = fc.oneof(
      fc.constantFrom('id', 'payment', 'session', 'k'.repeat(31), 'k'.repeat(32), 'schlüssel', '123'),
      fc.string({ unit: 'grapheme-ascii', maxLength: 34 }).filter((name) => name !== '__proto__'),
    )
    const rows = fc.array(fc.dictionary(key, fc.integer(), { maxKeys: 8, noNullPrototype: true }), { maxLength: 12 })
    fc.assert(
      fc.property(rows, (list) => {
        // One at a time and all at once: what a key remembers of the one after it differs.
        const parts = list.map((row) => hex(encodeWalked(row)))
        expect(hex(encodeWalked(list)).endsWith(parts.join(''))).toBe(true)
        const read = decodeValue(encodeWalked(list))
        expect(JSON.stringify(read)).toBe(JSON.stringify(list))
        for (const row of list) {
          const oneByOne = Object.entries(row).map(
            ([name, value]) => hex(encodeWalked(name)) + hex(encodeWalked(value)),
          )
          expect(hex(encodeValue(row)).endsWith(oneByOne.join(''))).toBe(true)
        }
      }),
      { numRuns: sample(300) },
    )
  })

  test('more keys than the table of known keys holds are still written and read as they are', () => {
    for (let round = 0; round < 5000; round += 1) {
      const row = { [`made-up-${round}`]: round, known: 1 }
      expect(Buffer.from(encodeWalked(row)).includes(`made-up-${round}`)).toBe(true)
      expect(hex(encodeWalked(row))).toBe(hex(encodeValue(row)))
      expect(decodeValue(encodeWalked(row))).toEqual(row)
    }
  })

  test('what was returned is never written again, across the end of a slab and by larger values', () => {
    const sizes = [1, 63, 64, 500, 5000, 70_000, 3, 40_000, 40_000, 65_500, 200_000, 7]
    const made = sizes.map((size, at) => {
      const value: Value = { at, text: 'x'.repeat(size), wide: 'é'.repeat(size), raw: new Uint8Array(size).fill(at) }
      return { value, bytes: encodeWalked(value), expected: hex(encodeValue(value)) }
    })
    for (const { bytes, expected } of made) expect(hex(bytes) === expected).toBe(true)
    for (const { bytes } of made) expect(bytes.buffer.byteLength).toBeLessThanOrEqual(Math.max(65_536, bytes.length))
  })

  test('what no walk accepts is a bug of the caller', () => {
    expect(() => encodeWalked({ a: undefined } as never)).toThrow(/only what a walk accepted/)
  })
})
