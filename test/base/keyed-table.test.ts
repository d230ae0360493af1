import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashOfNumber, hashOfText, KeyedTable } from '../../src/base/keyed-table.ts'
import { sample } from '../effort.ts'

interface Item {
  readonly key: number
  readonly serial: number
}

type Operation = readonly ['set' | 'delete' | 'get', number]

const operation = (keys: number): fc.Arbitrary<Operation> =>
  fc.tuple(fc.constantFrom('set', 'set', 'delete', 'get'), fc.nat(keys))

describe('a keyed table is a Map of values that hold their keys', () => {
  for (const [name, hash] of [
    ['a spread hash', hashOfNumber],
    ['one that puts all into one table, at its end', (key: number) => 0x7fff_ffff - (key % 3)],
  ] as const)
    test(name, () => {
      fc.assert(
        fc.property(fc.array(operation(60), { maxLength: 400 }), (operations) => {
          const table = new KeyedTable<number, Item>({ keyOf: ({ key }) => key, hash })
          const map = new Map<number, Item>()
          for (const [serial, [what, key]] of operations.entries()) {
            if (what === 'set') {
              table.set({ key, serial })
              map.set(key, { key, serial })
            } else if (what === 'delete') expect(table.delete(key)).toBe(map.delete(key))
            expect(table.get(key)).toEqual(map.get(key))
            expect(table.has(key)).toBe(map.has(key))
            expect(table.size).toBe(map.size)
          }
          const byKey = (left: Item, right: Item): number => left.key - right.key
          expect([...table.values()].sort(byKey)).toEqual([...map.values()].sort(byKey))
          expect([...table.keys()].sort()).toEqual([...map.keys()].sort())
        }),
        { numRuns: sample(300) },
      )
    })

  test('keys that all begin at one place are found without a walk past all of them', () => {
    let looked = 0
    const keyOf = ({ key }: Item): number => {
      looked += 1
      return key
    }
    const table = new KeyedTable<number, Item>({ keyOf, hash: () => 7 })
    for (let key = 0; key < 5000; key += 1) table.set({ key, serial: key })
    for (let key = 0; key < 5000; key += 2) expect(table.delete(key)).toBe(true)
    looked = 0
    expect(table.get(4999)?.serial).toBe(4999)
    expect(table.has(4998)).toBe(false)
    expect(looked).toBeLessThan(200)
    expect([table.size, [...table.values()].length]).toEqual([2500, 2500])
  })

  test('many values, all found, most taken out again', () => {
    const table = new KeyedTable<string, { readonly name: string }>({ keyOf: ({ name }) => name, hash: hashOfText })
    for (let at = 0; at < 50_000; at += 1) table.set({ name: `user:${at}` })
    for (let at = 0; at < 50_000; at += 1) if (at % 10 !== 0) expect(table.delete(`user:${at}`)).toBe(true)
    expect(table.size).toBe(5000)
    for (let at = 0; at < 50_000; at += 1) expect(table.has(`user:${at}`)).toBe(at % 10 === 0)
  })

  test('indexes that follow each other are spread over all tables, and so are those beyond 32 bits', () => {
    for (const from of [0, 2 ** 40]) {
      const tables = new Map<number, number>()
      for (let index = from; index < from + 25_600; index += 1) {
        const at = hashOfNumber(index) >>> 24
        tables.set(at, (tables.get(at) ?? 0) + 1)
      }
      expect(tables.size).toBe(256)
      expect(Math.max(...tables.values())).toBeLessThan(200)
    }
    expect(hashOfNumber(1)).not.toBe(hashOfNumber(1 + 2 ** 32))
  })
})
