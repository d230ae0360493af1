import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareKeys, keyFromBytes, keyPart, keyParts, keyToBytes, prefixEnd } from '../../../src/codec/rows/key.ts'
import { ValueError } from '../../../src/codec/value/value-error.ts'
import { sample } from '../../effort.ts'

/** Several parts in a row. */
const key = (...list: readonly (string | number)[]): string => list.map((part) => keyPart(part)).join('')

const hex = (text: string): string => Buffer.from(text, 'latin1').toString('hex')

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.string({ unit: fc.constantFrom('\u0000', '\u0001', '\u0002', 'a', 'é', '\uffff', '😀'), maxLength: 4 }),
)
const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(2 ** 32, -(2 ** 32), 2 ** 53 - 1, 1 - 2 ** 53),
)
const parts = fc.array(fc.oneof(texts, integers), { maxLength: 4 })

/** The order that keys promise, said without their encoding: numbers, then strings by code point; a prefix first. */
function compareParts(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const [x, y] = [a[index] ?? 0, b[index] ?? 0]
    if (typeof x !== typeof y) return typeof x === 'number' ? -1 : 1
    const order = typeof x === 'number' ? x - Number(y) : Buffer.compare(Buffer.from(x), Buffer.from(String(y)))
    if (order !== 0) return Math.sign(order)
  }
  return Math.sign(a.length - b.length)
}

describe('keys', () => {
  test('golden bytes', () => {
    expect(hex(keyPart('ab'))).toBe('02616200')
    expect(hex(keyPart(''))).toBe('0200')
    expect(hex(keyPart('a\u0000\u0001b'))).toBe('0261010101026200')
    expect(hex(keyPart('é'))).toBe('02c3a900')
    expect(hex(keyPart(0))).toBe('018000000000000000')
    expect(hex(keyPart(1))).toBe('018000000000000001')
    expect(hex(keyPart(-1))).toBe('017fffffffffffffff')
    expect(hex(keyPart(2 ** 53 - 1))).toBe('01801fffffffffffff')
    expect(hex(key('a', 1))).toBe('026100018000000000000001')
  })

  test('the order of keys is the order of their parts', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        expect(compareKeys(key(...a), key(...b))).toBe(compareParts(a, b))
      }),
      { numRuns: sample(1000) },
    )
  })

  test('keyParts gives the parts that a key was made of', () => {
    fc.assert(
      fc.property(parts, (list) => {
        expect(keyParts(key(...list))).toEqual(list)
      }),
      { numRuns: sample(500) },
    )
  })

  test('every key is one char per byte, and its bytes give it back', () => {
    fc.assert(
      fc.property(parts, (list) => {
        const encoded = key(...list)
        expect(encoded).toMatch(/^[\0-\xff]*$/)
        expect(keyFromBytes(keyToBytes(encoded))).toBe(encoded)
      }),
      { numRuns: sample(200) },
    )
    expect(() => keyToBytes('Ā')).toThrow('binary string')
  })

  test('the range from a prefix to its end holds exactly the keys that start with it', () => {
    const binary = fc.string({ unit: fc.constantFrom('\x00', '\x01', 'a', '\xfe', '\xff'), maxLength: 4 })
    fc.assert(
      fc.property(binary, binary, (prefix, candidate) => {
        const end = prefixEnd(prefix)
        expect(candidate >= prefix && (end === null || candidate < end)).toBe(candidate.startsWith(prefix))
      }),
      { numRuns: sample(1000) },
    )
    expect([prefixEnd(''), prefixEnd('\xff\xff'), prefixEnd('a\xff'), prefixEnd('user/')]).toEqual([
      null,
      null,
      'b',
      'user0',
    ])
  })

  test('what is no part is refused', () => {
    for (const bad of [0.5, Number.NaN, Infinity, 2 ** 53, '\ud800', 'a\udc00'])
      expect(() => keyPart(bad)).toThrow(ValueError)
  })

  test('what is no key is refused', () => {
    for (const bad of [
      'x',
      '\x03',
      '\x02abc',
      '\x02a\x01\x03\x00',
      '\x02a\x01\x00',
      '\x01\x80\x00',
      '\x02\xc3\x00',
      '\x02\xed\xa0\x80\x00',
      `\x01${'\xff'.repeat(8)}`,
    ]) {
      expect(() => keyParts(bad)).toThrow(ValueError)
    }
  })
})
