import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readSlowly, readUtf8, writeSlowly, writeUtf8 } from '../../../src/codec/bytes/native-text.ts'
import { texts } from '../value/values.ts'
import { sample } from '../../effort.ts'

describe('texts by native functions', () => {
  test('any bytes read as the documented way reads them, at any place of an array', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(20), fc.nat(20), (bytes, offset, cut) => {
        const view = bytes.subarray(Math.min(offset, bytes.length))
        const end = Math.max(0, view.length - cut)
        for (const start of [0, end >> 1, end]) expect(readUtf8(view, start, end)).toBe(readSlowly(view, start, end))
      }),
      { numRuns: sample(500) },
    )
  })

  test('texts are written as the documented way writes them, as many whole characters as there is room for', () => {
    const text = fc.oneof(
      texts,
      fc.string({ unit: fc.constantFrom('a', 'é', '\ud800', '\udc00', '😀'), maxLength: 12 }),
    )
    fc.assert(
      fc.property(text, fc.nat(9), fc.nat(60), (value, offset, room) => {
        const [fast, slow] = [new Uint8Array(80).subarray(5), new Uint8Array(80).subarray(5)]
        expect(writeUtf8(fast, value, offset, room)).toBe(writeSlowly(slow, value, offset, room))
        expect(fast).toEqual(slow)
      }),
      { numRuns: sample(500) },
    )
  })
})
