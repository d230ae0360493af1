import fc from 'fast-check'
import { expect, test } from 'vitest'
import { packRows } from '../../../src/codec/rows/packed-rows.ts'
import { rowChanges, rowKey, seal } from '../../../src/storage/snapshot/snapshot-format.ts'

test('a slice folds into what sealing each of its rows gives', () => {
  const octets = fc.uint8Array({ maxLength: 300 }).map((array) => new Uint8Array(array))
  const key = octets.map((array) => Buffer.from(array).toString('latin1'))
  fc.assert(
    fc.property(fc.array(fc.record({ key, value: fc.option(octets) })), (rows) => {
      const sealed = rows.map((row) => {
        const name = rowKey(row.key)
        return { key: name, value: row.value === null ? null : seal(name, row.value) }
      })
      expect(rowChanges(packRows(rows))).toEqual(sealed)
    }),
  )
})
