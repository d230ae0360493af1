import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dictionary } from '../../../src/session/rows/dictionary.ts'
import { OrderedKeys } from '../../../src/session/rows/ordered-keys.ts'
import { StateView } from '../../../src/session/rows/state-view.ts'
import { WriteBuffer } from '../../../src/session/rows/write-buffer.ts'
import { codec } from '../log.ts'
import { sample } from '../../effort.ts'

const KEYS = 60
const key = (at: number): string => `k${String(at).padStart(3, '0')}`

/** Writes to keys (null: deletes), enough that some transactions are long and some short. */
const writes = (most: number) =>
  fc.array(fc.tuple(fc.nat({ max: KEYS }), fc.option(fc.nat({ max: 9 }))), { maxLength: most })

/** Rows in [from, to) of a plain map. */
function within(rows: ReadonlyMap<string, number>, from: string, to: string): [string, number][] {
  return [...rows].filter(([at]) => at >= from && at < to).sort(([left], [right]) => (left < right ? -1 : 1))
}

type Reader = Pick<StateView, 'get' | 'has' | 'range' | 'count'>

function expectSame(reader: Reader, rows: ReadonlyMap<string, number>, [low, high, limit]: readonly number[]): void {
  const [from, to] = [key(low ?? 0), key(high ?? 0)]
  const found = within(rows, from, to)
  const some = { from, to, limit: limit ?? 0 }
  expect(reader.count({ from, to })).toBe(found.length)
  expect(reader.range(some)).toEqual(found.slice(0, some.limit))
  expect(reader.range({ ...some, reverse: true })).toEqual(found.toReversed().slice(0, some.limit))
  expect(reader.get(from)).toBe(rows.get(from))
  expect(reader.has(to)).toBe(rows.has(to))
}

test('a transaction reads its own writes, others none of them, and all of them from one moment on', () => {
  const bounds = fc.tuple(fc.nat({ max: KEYS }), fc.nat({ max: KEYS }), fc.nat({ max: 12 }))
  fc.assert(
    fc.property(
      writes(80),
      writes(200),
      fc.array(bounds, { minLength: 1, maxLength: 20 }),
      fc.boolean(),
      (first, second, looks, ends) => {
        const dictionary = new Dictionary(new OrderedKeys())
        const buffer = new WriteBuffer(dictionary, codec, { high: 0, low: 0 }, () => undefined)
        const view = new StateView(dictionary, buffer)
        const rows = new Map<string, number>()
        const write = ([at, value]: readonly [number, number | null]): void => {
          if (value === null) expect(buffer.delete(key(at))).toBe(rows.delete(key(at)))
          else {
            buffer.set(key(at), value)
            rows.set(key(at), value)
          }
        }
        for (const each of first) write(each)
        buffer.commit()
        const before = new Map(rows)
        for (const [at, each] of second.entries()) {
          write(each)
          const look = looks[at % looks.length] ?? [0, 0, 0]
          if (at % 7 > 0) continue
          expectSame(buffer, rows, look)
          expectSame(view, before, look)
        }
        if (ends) buffer.publish()
        for (const look of looks) expectSame(view, ends ? rows : before, look)
        const pieces = ends ? buffer.settle() : buffer.rollbackInPieces()
        do for (const look of looks) expectSame(view, ends ? rows : before, look)
        while (pieces.next().done !== true)
        for (const look of looks) expectSame(view, ends ? rows : before, look)
        expect(dictionary.size).toBe((ends ? rows : before).size)
      },
    ),
    { numRuns: sample(150) },
  )
})
