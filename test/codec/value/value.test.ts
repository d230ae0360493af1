import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { ValueError } from '../../../src/codec/value/value-error.ts'
import { decodeInput, decodeValue } from '../../../src/codec/value/decode.ts'
import { encodeValue } from '../../../src/codec/value/encode.ts'
import { ROW_BOUNDS, VALUE_BYTES_MAX, VALUE_DEPTH_MAX } from '../../../src/codec/value/bounds.ts'
import { bomb, nested, refused, values } from './values.ts'
import { sample } from '../../effort.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const GOLDEN: readonly (readonly [Value, string])[] = [
  [null, 'c0'],
  [false, 'c2'],
  [true, 'c3'],
  [0, '00'],
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65_535, 'cdffff'],
  [65_536, 'ce00010000'],
  [2 ** 31, 'ce80000000'],
  [2 ** 32 - 1, 'ceffffffff'],
  [2 ** 32, 'cf0000000100000000'],
  [2 ** 53 - 1, 'cf001fffffffffffff'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [-32_768, 'd18000'],
  [-32_769, 'd2ffff7fff'],
  [-(2 ** 31), 'd280000000'],
  [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
  [1 - 2 ** 53, 'd3ffe0000000000001'],
  [0.5, 'cb3fe0000000000000'],
  [-1.25, 'cbbff4000000000000'],
  ['', 'a0'],
  ['abc', 'a3616263'],
  ['é', 'a2c3a9'],
  ['😀', 'a4f09f9880'],
  ['x'.repeat(32), `d920${'78'.repeat(32)}`],
  ['x'.repeat(256), `da0100${'78'.repeat(256)}`],
  ['x'.repeat(65_536), `db00010000${'78'.repeat(65_536)}`],
  [new Uint8Array([1, 2]), 'c4020102'],
  [new Uint8Array(256), `c50100${'00'.repeat(256)}`],
  [new Uint8Array(65_536), `c600010000${'00'.repeat(65_536)}`],
  [[], '90'],
  [[1, [2]], '92019102'],
  [new Array(16).fill(null), `dc0010${'c0'.repeat(16)}`],
  [new Array(65_536).fill(null), `dd00010000${'c0'.repeat(65_536)}`],
  [{}, '80'],
  [{ b: 1, a: 2 }, '82a16201a16102'],
  [
    Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`k${index + 10}`, 0])),
    `de0010${Array.from({ length: 16 }, (_, index) => `a36b${Buffer.from(`${index + 10}`).toString('hex')}00`).join('')}`,
  ],
]

describe('the encoding of values', () => {
  test('golden bytes: every kind and width has exactly one encoding, the smallest', () => {
    for (const [value, expected] of GOLDEN) {
      expect(hex(encodeValue(value))).toBe(expected)
      expect(decodeValue(bytes(expected))).toEqual(value)
    }
  })

  test('UPC-3 decoding what was encoded gives the same value with its keys in the same order, and encodes again to the same bytes', () => {
    fc.assert(
      fc.property(values, (value) => {
        const encoded = encodeValue(value)
        const decoded = decodeValue(encoded)
        expect(decoded).toEqual(value)
        expect(JSON.stringify(decoded)).toBe(JSON.stringify(value))
        expect(hex(encodeValue(decoded))).toBe(hex(encoded))
      }),
      { numRuns: sample(500) },
    )
  })

  test('another msgpack implementation reads what is written here, and the other way round', () => {
    const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' })
    // Keys for which that implementation itself fails or renames (it looks at `constructor` and `toJSON`).
    const skipped = /"(constructor|toJSON|__proto_)"/
    fc.assert(
      fc.property(
        values.filter((value) => !skipped.test(JSON.stringify(value))),
        (value) => {
          expect(decodeValue(packr.pack(value))).toEqual(value)
          const read: unknown = packr.unpack(encodeValue(value))
          expect(hex(encodeValue(decodeValue(packr.pack(read))))).toBe(hex(encodeValue(value)))
        },
      ),
      { numRuns: sample(300) },
    )
  })

  test('integers decode to the same number whatever their width', () => {
    for (const text of [
      '07',
      'cc07',
      'cd0007',
      'ce00000007',
      'cf0000000000000007',
      'd007',
      'd10007',
      'd200000007',
      'd30000000000000007',
      'ca40e00000',
      'cb401c000000000000',
    ]) {
      expect(decodeValue(bytes(text))).toBe(7)
    }
    expect(decodeValue(bytes('d9 01 61'))).toBe('a')
    expect(decodeValue(bytes('db 00000001 61'))).toBe('a')
    expect(decodeValue(bytes('df 00000001 d901 61 dd 00000001 c0'))).toEqual({ a: [null] })
  })

  test.each(refused)('FM-1 $what is refused, never converted, with its path', ({ value, reason, path }) => {
    const error = refusalOf(() => encodeValue(value as Value))
    expect([error.reason, error.path]).toEqual([reason, path])
  })

  test('32 levels are a value', () => {
    const value = nested(VALUE_DEPTH_MAX) as Value
    expect(decodeValue(encodeValue(value))).toEqual(value)
  })

  test('values that are too large are refused, also when few objects stand for many', () => {
    expect(refusalOf(() => encodeValue(bomb() as Value)).reason).toBe('TOO_LARGE')
    expect(refusalOf(() => encodeValue(new Uint8Array(ROW_BOUNDS.bytes - 4))).reason).toBe('TOO_LARGE')
    expect(encodeValue(new Uint8Array(ROW_BOUNDS.bytes - 5)).length).toBe(ROW_BOUNDS.bytes)
    expect(refusalOf(() => decodeValue(new Uint8Array(ROW_BOUNDS.bytes + 1))).reason).toBe('TOO_LARGE')
    expect(refusalOf(() => decodeInput(new Uint8Array(VALUE_BYTES_MAX + 1))).reason).toBe('TOO_LARGE')
  })

  test('a refusal leaves the encoder whole', () => {
    expect(() => encodeValue([1, Number.NaN])).toThrow(ValueError)
    expect(hex(encodeValue([1]))).toBe('9101')
  })

  test('what is returned aliases nothing: neither the encoder, nor the bytes that were decoded', () => {
    const first = encodeValue({ a: 'first' })
    encodeValue({ a: 'other' })
    expect(decodeValue(first)).toEqual({ a: 'first' })
    const source = Buffer.from(encodeValue([new Uint8Array([1, 2, 3])]))
    const decoded = decodeValue(source) as Uint8Array[]
    source.fill(0)
    expect(decoded[0]).toEqual(new Uint8Array([1, 2, 3]))
    expect(Object.getPrototypeOf(decoded[0])).toBe(Uint8Array.prototype)
  })
})

describe('bytes that are not a value', () => {
  test.each([
    ['nothing', '', 'BAD_BYTES'],
    ['bytes after the value', '0101', 'BAD_BYTES'],
    ['a truncated integer', 'ce0001', 'BAD_BYTES'],
    ['a truncated string', 'a361', 'BAD_BYTES'],
    ['a truncated array', '9201', 'BAD_BYTES'],
    ['an array that promises 2^32-1 elements', 'ddffffffff', 'BAD_BYTES'],
    ['a map that promises 2^32-1 entries', 'dfffffffff', 'BAD_BYTES'],
    ['a string that promises 2^32-1 bytes', 'dbffffffff', 'BAD_BYTES'],
    ['bytes that promise 2^32-1 bytes', 'c6ffffffff', 'BAD_BYTES'],
    ['the byte that means nothing', 'c1', 'BAD_BYTES'],
    ['fixext 1', 'd40001', 'BAD_BYTES'],
    ['a timestamp', 'd6ff00000000', 'BAD_BYTES'],
    ['ext 8', 'c7010001', 'BAD_BYTES'],
    ['a record of msgpackr', 'd47240', 'BAD_BYTES'],
    ['a key that is a number', '810101', 'BAD_BYTES'],
    ['a key twice', '82a16101a16102', 'BAD_BYTES'],
    ['a key named __proto__', '81a95f5f70726f746f5f5f80', 'NOT_PLAIN'],
    ['2^53', 'cf0020000000000000', 'UNSAFE_INTEGER'],
    ['2^64-1', 'cfffffffffffffffff', 'UNSAFE_INTEGER'],
    ['-2^53', 'd3ffe0000000000000', 'UNSAFE_INTEGER'],
    ['2^53 as a double', 'cb4340000000000000', 'UNSAFE_INTEGER'],
    ['NaN', 'cb7ff8000000000000', 'NOT_FINITE'],
    ['an infinity as a float32', 'caff800000', 'NOT_FINITE'],
    ['-0', 'cb8000000000000000', 'NEGATIVE_ZERO'],
    ['overlong UTF-8', 'a2c080', 'BAD_STRING'],
    ['a surrogate in UTF-8', 'a3eda080', 'BAD_STRING'],
    ['a truncated character', 'a1c3', 'BAD_STRING'],
    ['41 arrays', `${'91'.repeat(41)}c0`, 'TOO_DEEP'],
    ['a million arrays', '91'.repeat(1_000_000), 'TOO_DEEP'],
  ])('%s is refused', (_what, text, reason) => {
    expect(refusalOf(() => decodeValue(bytes(text))).reason).toBe(reason)
  })

  test('U+FFFD is a character like any other, and nothing is replaced by it, in texts of any length', () => {
    for (const length of [0, 1, 8, 23, 24, 25, 40, 300]) {
      for (const tail of ['\ufffd', 'é', '\ufeff', '\u{1f600}', 'é\ufffd']) {
        const text = 'x'.repeat(length) + tail
        expect(decodeValue(encodeValue(text))).toBe(text)
      }
      for (const tail of ['ff', 'c3', 'c080', 'eda080', 'f4908080', '80', 'e282']) {
        const size = length + tail.length / 2
        const encoded = bytes(`da${size.toString(16).padStart(4, '0')}${'78'.repeat(length)}${tail}`)
        expect(refusalOf(() => decodeValue(encoded)).reason).toBe('BAD_STRING')
      }
    }
  })

  test('an input may nest 32 deep, what wraps it 40', () => {
    const arrays = (count: number) => bytes(`${'91'.repeat(count)}c0`)
    expect(() => decodeInput(arrays(32))).not.toThrow()
    expect(refusalOf(() => decodeInput(arrays(33))).reason).toBe('TOO_DEEP')
    expect(() => decodeValue(arrays(40))).not.toThrow()
    expect(refusalOf(() => encodeValue(nested(41) as Value)).reason).toBe('TOO_DEEP')
  })

  test('two million empty objects are refused before they fill the memory', () => {
    const many = new Uint8Array(5 + 2_000_000).fill(0x80)
    many.set(bytes('dd001e8480'))
    expect(refusalOf(() => decodeInput(many)).reason).toBe('TOO_LARGE')
    const more = new Uint8Array(5 + 3_000_000).fill(0x80)
    more.set(bytes('dd002dc6c0'))
    expect(refusalOf(() => decodeValue(more)).reason).toBe('TOO_LARGE')
  })

  test('no bytes do anything but decode or be refused with a ValueError', () => {
    const mutated = fc.tuple(values, fc.nat(), fc.nat(255), fc.nat()).map(([value, at, byte, cut]) => {
      const encoded = encodeValue(value)
      encoded[at % encoded.length] = byte
      return cut % 4 === 0 ? encoded.subarray(0, cut % (encoded.length + 1)) : encoded
    })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated), (input) => {
        let decoded: Value
        try {
          decoded = decodeValue(input)
        } catch (error) {
          expect(error).toBeInstanceOf(ValueError)
          return
        }
        expect(decodeValue(encodeValue(decoded))).toEqual(decoded)
      }),
      { numRuns: sample(800) },
    )
  })
})

function refusalOf(run: () => unknown): ValueError {
  try {
    run()
  } catch (error) {
    if (error instanceof ValueError) return error
    throw error
  }
  throw new Error('it was accepted')
}
