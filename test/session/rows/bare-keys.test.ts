import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunningHash } from '../../../src/codec/value/running-hash.ts'
import { Dictionary } from '../../../src/session/rows/dictionary.ts'
import { OrderedKeys } from '../../../src/session/rows/ordered-keys.ts'
import { OverlayRows } from '../../../src/session/rows/overlay-rows.ts'
import { StateView } from '../../../src/session/rows/state-view.ts'
import { WriteBuffer } from '../../../src/session/rows/write-buffer.ts'
import type { KeyReader } from '../../../src/session/user-machine.ts'
import { codec } from '../log.ts'
import { sample } from '../../effort.ts'

const KEYS = 50
const key = (at: number): string => `m/.t/f/k${String(at).padStart(3, '0')}`

/** Keys that come where they are not there, and go where they are. */
const turns = (most: number) => fc.array(fc.nat({ max: KEYS }), { maxLength: most, size: 'max' })
const looks = fc.array(fc.tuple(fc.nat({ max: KEYS }), fc.nat({ max: KEYS }), fc.nat({ max: 12 })), { minLength: 1 })

function world(hash: RunningHash = { high: 0, low: 0 }) {
  const dictionary = new Dictionary(new OrderedKeys())
  const buffer = new WriteBuffer(dictionary, codec, hash, () => undefined)
  return { dictionary, buffer, view: new StateView(dictionary, buffer), hash }
}

function turn(buffer: WriteBuffer, keys: Set<string>, at: number): void {
  if (keys.delete(key(at))) buffer.bare.delete(key(at))
  else {
    keys.add(key(at))
    buffer.bare.add(key(at))
  }
}

function expectSame(reader: KeyReader, keys: ReadonlySet<string>, [low, high, limit]: readonly number[]): void {
  const [from, to] = [key(low ?? 0), key(high ?? 0)]
  const found = [...keys].filter((each) => each >= from && each < to).sort()
  expect(reader.count({ from, to })).toBe(found.length)
  expect(reader.range({ from, to, limit: limit ?? 0 })).toEqual(found.slice(0, limit))
  expect(reader.range({ from, to, limit: limit ?? 0, reverse: true })).toEqual(found.toReversed().slice(0, limit))
}

describe('rows that are their keys alone', () => {
  test('are read by the transaction that changes them, by others from one moment on, and not at all once it is rejected', () => {
    fc.assert(
      fc.property(
        turns(60),
        turns(150),
        looks,
        fc.constantFrom('commit', 'publish', 'rollback'),
        (first, second, asked, end) => {
          const { buffer, view, dictionary } = world()
          const keys = new Set<string>()
          for (const at of first) turn(buffer, keys, at)
          buffer.commit()
          const before = new Set(keys)
          for (const [step, at] of second.entries()) {
            turn(buffer, keys, at)
            const look = asked[step % asked.length] ?? [0, 0, 0]
            if (step % 7 > 0) continue
            expectSame(buffer.bare, keys, look)
            expectSame(view.bare, before, look)
          }
          // Rows beside them, so that those are moved first.
          buffer.set('m/t/1', 1)
          const after = end === 'rollback' ? before : keys
          if (end === 'commit') buffer.commit()
          else if (end === 'rollback') buffer.rollback()
          else {
            buffer.publish()
            const pieces = buffer.settle()
            do for (const look of asked) expectSame(view.bare, keys, look)
            while (pieces.next().done !== true)
          }
          for (const look of asked) expectSame(view.bare, after, look)
          expect(dictionary.size).toBe(after.size + (end === 'rollback' ? 0 : 1))
        },
      ),
      { numRuns: sample(150) },
    )
  })

  test('are at a boundary each once as they are then, and not those that came and went', () => {
    fc.assert(
      fc.property(fc.array(turns(80), { maxLength: 6 }), (intervals) => {
        const { buffer, dictionary } = world()
        const keys = new Set<string>()
        const stored = new Set<string>()
        for (const [index, interval] of intervals.entries()) {
          for (const at of interval) turn(buffer, keys, at)
          buffer.commit()
          const changed = dictionary.swap(index)
          const named = [...changed].filter((row) => row !== null)
          expect([...changed].filter((row) => row !== null)).toEqual(named)
          expect(new Set(named.map((row) => row.key)).size).toBe(named.length)
          for (const row of named) {
            if (row.value === true) stored.add(row.key)
            else expect(stored.delete(row.key)).toBe(true)
          }
          expect([...stored].sort()).toEqual([...keys].sort())
        }
      }),
      { numRuns: sample(150) },
    )
  })

  test('that came and went are passed over in steps, however many they are', () => {
    const { buffer, dictionary } = world()
    const gone = Array.from({ length: 20_000 }, (_, at) => `t/.i/f/${at}`)
    for (const key of gone) buffer.bare.add(key)
    buffer.commit()
    for (const key of gone) buffer.bare.delete(key)
    buffer.bare.add('t/.i/f/stays')
    buffer.commit()
    const steps = [...dictionary.swap(1)]
    expect(steps.filter((row) => row !== null)).toEqual([{ key: 't/.i/f/stays', value: true }])
    expect(steps.filter((row) => row === null).length).toBeGreaterThanOrEqual((2 * gone.length) / 128 - 1)
  })

  test('are tried beside those that there are, which stay as they are', () => {
    fc.assert(
      fc.property(turns(60), turns(60), looks, (first, second, asked) => {
        const { buffer, view, dictionary } = world()
        const keys = new Set<string>()
        for (const at of first) turn(buffer, keys, at)
        buffer.commit()
        const before = new Set(keys)
        const overlay = new OverlayRows(dictionary)
        const tried = new WriteBuffer(overlay, codec, { high: 0, low: 0 }, () => undefined)
        for (const at of second) {
          turn(tried, keys, at)
          tried.commit()
        }
        for (const look of asked) {
          expectSame(tried.bare, keys, look)
          expectSame(view.bare, before, look)
        }
        expect(overlay.written).toEqual(new Set(second.map(key)))
      }),
      { numRuns: sample(100) },
    )
  })

  test('are in the running hash, which tells two that differ in one key', () => {
    const hashOf = (change: (buffer: WriteBuffer) => void): string => {
      const { buffer, hash } = world()
      change(buffer)
      buffer.commit()
      return `${hash.high}.${hash.low}`
    }
    const hashes = [
      hashOf(() => undefined),
      hashOf(({ bare }) => bare.add(key(1))),
      hashOf(({ bare }) => bare.add(key(2))),
      hashOf(({ bare }) => {
        bare.add(key(1))
        bare.delete(key(1))
      }),
      hashOf(({ bare }) => {
        bare.add(key(2))
        bare.delete(key(2))
      }),
    ]
    expect(new Set(hashes).size).toBe(hashes.length)
  })

  test('are told to whoever watches them, with what they were and are, and not where nothing changes in the end', () => {
    const { buffer } = world()
    buffer.bare.add(key(1))
    buffer.bare.add(key(2))
    buffer.commit()
    let told = 0
    const watch = buffer.watch(() => (told += 1))
    watch.begin()
    watch.readRange(key(3), key(5))
    buffer.bare.add(key(9))
    buffer.commit()
    expect(told).toBe(0)
    buffer.bare.add(key(3))
    buffer.bare.delete(key(1))
    buffer.bare.delete(key(2))
    buffer.bare.add(key(2))
    expect(buffer.changes()).toEqual([
      { key: key(3), before: undefined, after: true },
      { key: key(1), before: true, after: undefined },
    ])
    buffer.commit()
    expect(told).toBe(1)
  })

  test('lie under a name and a dot, where no other row may lie', () => {
    const { buffer } = world()
    expect(() => buffer.bare.add('m/t/1')).toThrow(TypeError)
    expect(() => buffer.bare.delete('m/t/1')).toThrow(TypeError)
    expect(() => buffer.bare.add('m/.t/\u0100')).toThrow(TypeError)
    expect(() => buffer.set(key(1), true)).toThrow(TypeError)
    expect(() => buffer.bare.range({ from: 'a', to: 'b', limit: -1 })).toThrow(TypeError)
  })
})

test('a look among very many keys that came in any order puts those of two chunks in order, and no others', () => {
  const keys = new OrderedKeys()
  const scattered = (at: number): string => String((at * 7_919) % 100_003).padStart(6, '0')
  for (let at = 0; at < 100_000; at += 1) keys.add(scattered(at))
  const unsorted = (): number => keys['chunks'].filter(({ keys, sorted }) => sorted < keys.length).length
  const before = unsorted()
  expect(before).toBeGreaterThan(300)
  expect(keys.range({ from: '050000', to: '050020', limit: 20, reverse: false })).toHaveLength(20)
  expect(unsorted()).toBeGreaterThanOrEqual(before - 2)
  expect(Math.max(...keys['chunks'].map((chunk) => chunk.keys.length))).toBeLessThanOrEqual(256)
})
