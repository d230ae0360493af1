import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeFields, encodeFields } from '../../src/grpc/direct/fields.ts'
import { beginsDirectly, PREFACE } from '../../src/grpc/direct/preface.ts'
import { sample } from '../effort.ts'

test('the preface is known by its first byte from any other, and by its last from nothing else', () => {
  for (let length = 0; length <= PREFACE.length; length += 1)
    expect(beginsDirectly(PREFACE.subarray(0, length))).toBe(length === PREFACE.length ? true : null)
  for (const other of ['P', 'HTTP', 'HOLDFAST/2', '\0']) expect(beginsDirectly(Buffer.from(other))).toBe(false)
})

test('fields are read as they were written, and bytes that are none are not read', () => {
  const name = fc.stringMatching(/^:?[a-z0-9-]{1,10}$/)
  const value = fc.string({ maxLength: 20 }).filter((text) => !/[\r\n\u2028\u2029]/.test(text))
  fc.assert(
    fc.property(fc.dictionary(name, value), (fields) => {
      expect({ ...decodeFields(encodeFields(fields)) }).toEqual({ ...fields })
    }),
    { numRuns: sample(50) },
  )
  for (const text of ['x', 'Name: a', ': b', 'a: b\n']) expect(decodeFields(Buffer.from(text))).toBe(null)
})
