import fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowsDigest } from './rows-digest.ts'
import { packedDigest, packRows, unpackRows } from '../../../src/codec/rows/packed-rows.ts'

const octets = fc.uint8Array({ maxLength: 300 }).map((array) => new Uint8Array(array))
const rows = fc.array(
  fc.record({ key: octets.map((array) => Buffer.from(array).toString('latin1')), value: fc.option(octets) }),
)

test('packed rows come back as they were', () => {
  fc.assert(
    fc.property(rows, (given) => {
      expect(unpackRows(packRows(given))).toEqual(given)
    }),
  )
})

test('the digest of packed rows is the digest of the rows, in slices of any size', () => {
  fc.assert(
    fc.property(rows, fc.nat(), (given, at) => {
      const cut = given.length === 0 ? 0 : at % given.length
      const first = packedDigest(packRows(given.slice(0, cut)), 0)
      expect(packedDigest(packRows(given.slice(cut)), first)).toBe(rowsDigest(given))
    }),
  )
})

test('a key beyond binary strings is refused', () => {
  expect(() => packRows([{ key: 'a\u0100', value: null }])).toThrow('binary string')
})

test('the golden bytes of two rows', () => {
  const packed = packRows([
    { key: 'a', value: Uint8Array.of(7, 8) },
    { key: '\xff', value: null },
  ])
  expect(Buffer.from(packed).toString('hex')).toBe(
    '00000001' + '61' + '00000003' + '0708' + '00000001' + 'ff' + '00000000',
  )
})
