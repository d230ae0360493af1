import { afterEach, expect, test, vi } from 'vitest'
import { sessionCodec } from '../../../src/codec/session-codec.ts'
import { Dictionary } from '../../../src/session/rows/dictionary.ts'
import { OrderedKeys } from '../../../src/session/rows/ordered-keys.ts'
import { RowKeys } from '../../../src/session/rows/row-keys.ts'
import { Timers } from '../../../src/session/tables/timers.ts'

const ROWS = 8_000
/** Of the rows, in the largest hash table. */
const SHARE_MAX = ROWS / 64

/** Keys as tables have them: of numbers, of texts with a number in them, and with a common end. */
const KEYS: readonly (readonly [string, (at: number) => string])[] = [
  ['numbers', (at) => `t/${sessionCodec.keyPart(at)}`],
  ['padded ids', (at) => `t/${sessionCodec.keyPart(`order-${String(at).padStart(7, '0')}`)}`],
  ['ids and a name', (at) => `t/${sessionCodec.keyPart(`u-${at}`)}${sessionCodec.keyPart('state')}`],
]

/** The size of the largest hash table that is made from here on. */
function largestTable(): () => number {
  let largest = 0
  vi.stubGlobal(
    'Map',
    class<Key, Value> extends Map<Key, Value> {
      override set(key: Key, value: Value): this {
        super.set(key, value)
        largest = Math.max(largest, this.size)
        return this
      }
    },
  )
  return () => largest
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

// A table that has no room left is made anew at once, 46 ms for 131,072 rows: within one command, or one step of a migration.
test.each(KEYS)('no hash table grows with all rows of a large state (%s)', (_, keyOf) => {
  const largest = largestTable()
  const rows = new Dictionary(new OrderedKeys())
  for (let at = 0; at < ROWS; at += 1) rows.set(keyOf(at), at)
  expect(rows.size).toBe(ROWS)
  rows.swap(1)
  for (let at = 0; at < ROWS; at += 1) rows.delete(keyOf(at))
  expect(rows.size).toBe(0)
  expect(largest()).toBeLessThan(SHARE_MAX)
})

test('no hash table grows with all timers of a machine', () => {
  const largest = largestTable()
  const timers = new Timers(new Dictionary(), new RowKeys(sessionCodec))
  for (let at = 0; at < ROWS; at += 1) timers.put({ machine: 'a', name: `delayed/e-${at}`, dueAt: at, payload: null })
  expect(timers.size).toBe(ROWS)
  expect(timers.isArmed('a', 'delayed/e-77')).toBe(true)
  expect(largest()).toBeLessThan(SHARE_MAX)
})

// Half of each chunk would stay empty for good, and to find its middle takes longer than all else that adding keys costs.
test.each(['a/', 't/', 'z/'])('keys that rise leave full chunks, wherever other tables lie (%s)', (other) => {
  const keys = new OrderedKeys()
  const keyOf = (at: number): string => `t/b/${sessionCodec.keyPart(at)}`
  for (let at = 0; at < ROWS; at += 1) keys.add(`${other}${sessionCodec.keyPart(at)}`)
  // A chunk that is not left full is cut at the middle one of some of its keys, which are sorted for that.
  const sorts = vi.spyOn(Array.prototype, 'sort')
  for (let at = 0; at < ROWS; at += 1) keys.add(keyOf(at))
  // At first they share a chunk with the other table.
  expect(sorts.mock.calls.length).toBeLessThan(6)
  const all = { from: 't/b/', to: 't/b0', limit: ROWS + 1, reverse: false }
  expect(keys.range(all)).toEqual(Array.from({ length: ROWS }, (_, at) => keyOf(at)))
})
