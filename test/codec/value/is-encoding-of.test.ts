import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { decodeInput } from '../../../src/codec/value/decode.ts'
import { encodeValue } from '../../../src/codec/value/encode.ts'
import { isEncodingOf } from '../../../src/codec/value/is-encoding-of.ts'
import { refused, values } from './values.ts'
import { sample } from '../../effort.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** The slow way. */
function encodesTo(value: unknown, encoded: Uint8Array): boolean {
  try {
    return Buffer.from(encodeValue(value as Value)).equals(encoded)
  } catch {
    return false
  }
}

describe('a value and its bytes', () => {
  test('every value is known by its encoding, in a Buffer and at any offset', () => {
    fc.assert(
      fc.property(values, fc.nat(9), (value, offset) => {
        const encoded = encodeValue(value)
        expect(isEncodingOf(value, encoded)).toBe(true)
        const moved = new Uint8Array(offset + encoded.length + 3)
        moved.set(encoded, offset)
        expect(isEncodingOf(value, Buffer.from(moved.buffer, offset, encoded.length))).toBe(true)
      }),
      { numRuns: sample(500) },
    )
  })

  test('the answer is that of encoding again, for bytes that decode and values that are nearly theirs', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.nat(255) })
    fc.assert(
      fc.property(values, change, values, (value, { at, byte }, other) => {
        const encoded = encodeValue(value)
        encoded[at % encoded.length] = byte
        let decoded: Value
        try {
          decoded = decodeInput(encoded)
        } catch {
          return
        }
        for (const candidate of [decoded, value, other])
          expect(isEncodingOf(candidate, encoded)).toBe(encodesTo(candidate, encoded))
      }),
      { numRuns: sample(400) },
    )
  })

  test.each([
    ['an integer', 7, 'cc07 cd0007 ce00000007 cf0000000000000007 d007 d10007 d200000007 d30000000000000007'],
    ['an integer', -7, 'd0f9 d1fff9 d2fffffff9 d3fffffffffffffff9'],
    ['an integer', 300, 'ce0000012c cf000000000000012c d1012c d20000012c cb4072c00000000000'],
    ['a double', 0.5, 'ca3f000000'],
    ['a string', 'a', 'd90161 da000161 db0000000161'],
    ['a string', 'x'.repeat(40), `da0028${'78'.repeat(40)} db00000028${'78'.repeat(40)}`],
    ['an array', [1], 'dc000101 dd0000000101'],
    ['an object', { a: 1 }, 'de0001a16101 df00000001a16101 81d9016101'],
    ['bytes', Uint8Array.of(1), 'c5000101 c60000000101'],
    ['keys that are iterated in another order', { 2: 0, 10: 0 }, '82a2313000a13200'],
  ])('%s in another form than its smallest is not its encoding', (_what, value, forms) => {
    for (const form of forms.split(' ')) {
      expect(decodeInput(bytes(form))).toEqual(value)
      expect(isEncodingOf(value, bytes(form))).toBe(false)
    }
  })

  test.each(refused)('$what is nothing that bytes encode', ({ value }) => {
    expect(isEncodingOf(value, bytes('00'))).toBe(false)
    expect(isEncodingOf([value], bytes('9100'))).toBe(false)
    expect(isEncodingOf({ a: value }, bytes('81a16101'))).toBe(false)
  })

  test('what hides behind visible properties is seen', () => {
    const encoded = encodeValue({ a: 1 })
    const accessor = Object.defineProperty({}, 'a', { get: () => 1, enumerable: true })
    const hidden = Object.defineProperty({ a: 1 }, 'b', { value: 1 })
    for (const value of [accessor, hidden, { a: 1, [Symbol('b')]: 1 }, Object.assign(Object.create(null), { a: 1 })])
      expect(isEncodingOf(value, encoded)).toBe(false)
    expect(isEncodingOf({ a: 1 }, encoded)).toBe(true)
  })
})
