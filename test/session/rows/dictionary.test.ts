import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Dictionary } from '../../../src/session/rows/dictionary.ts'
import { Heap } from '../../../src/base/heap.ts'
import { OrderedKeys } from '../../../src/session/rows/ordered-keys.ts'
import { DueTimer } from '../../../src/session/tables/due-timer.ts'
import { TimerHeap } from '../../../src/session/tables/timer-heap.ts'
import { sample } from '../../effort.ts'

test('ordered keys equal a sorted array, over chunk splits and joins', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 30 }), fc.boolean(), (seed, rising) => {
      let word = seed
      const next = (bound: number): number => {
        word = (Math.imul(word, 1_103_515_245) + 12_345) & 0x7fffffff
        return (word >>> 8) % bound
      }
      const keys = new OrderedKeys()
      const plain = new Set<string>()
      const order: string[] = []
      let oldest = 0
      for (let step = 0; step < 4000; step += 1) {
        // Three tables, each with its last place; from one range of keys or from three.
        const table = ['', 'a/\x01', 'b/\x02'][next(3)] as string
        const remove = step > 1500 ? next(4) > 0 : next(4) === 0
        const drawn = table + String(rising && step < 1500 ? step : next(2000)).padStart(5, '0')
        // In the end the set shrinks, to chunks that are joined.
        while (oldest < order.length && !plain.has(order[oldest] as string)) oldest += 1
        const key = remove && step > 1500 && next(8) > 0 ? (order[oldest] ?? drawn) : drawn
        if (next(50) === 0) expect(keys.has(key)).toBe(plain.has(key))
        if (remove) expect(keys.delete(key)).toBe(plain.delete(key))
        else if (!plain.has(key)) {
          keys.add(key)
          plain.add(key)
          order.push(key)
        }
        if (step % 300 > 0) continue
        const sorted = [...plain].sort()
        const from = String(next(2000)).padStart(5, '0')
        const to = String(next(2000)).padStart(5, '0')
        const within = sorted.filter((other) => other >= from && other < to)
        const limit = next(50)
        expect(keys.count(from, to)).toBe(within.length)
        expect(keys.range({ from, to, limit, reverse: false })).toEqual(within.slice(0, limit))
        expect(keys.range({ from, to, limit, reverse: true })).toEqual([...within].reverse().slice(0, limit))
        expect(keys.range({ from: '', to: 'x', limit: 1e6, reverse: false })).toEqual(sorted)
      }
    }),
    { numRuns: sample(20) },
  )
})

test('a heap pops in order, whatever was retained', () => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 50 })), (items) => {
      const heap = new Heap<number>((a, b) => a < b)
      for (const item of items) heap.push(item)
      heap.retain((item) => item % 3 > 0)
      const popped: number[] = []
      while (heap.size > 0) popped.push(heap.pop() ?? -1)
      expect(heap.pop()).toBeUndefined()
      expect(popped).toEqual(items.filter((item) => item % 3 > 0).sort((a, b) => a - b))
    }),
  )
})

test('a heap of timers has the first one on top, however they are armed again and cancelled', () => {
  const step = fc.record({ name: fc.nat({ max: 25 }), dueAt: fc.nat({ max: 15 }), cancel: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const timers = Array.from({ length: 26 }, (_, at) => new DueTimer(String.fromCharCode(97 + at), 'm', `${at}`))
      const heap = new TimerHeap()
      const armed = new Map<string, number>()
      const sorted = () => [...armed].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
      for (const { name, dueAt, cancel } of steps) {
        const timer = timers[name] as DueTimer
        if (!cancel) {
          heap.place(timer, dueAt)
          armed.set(timer.key, dueAt)
        } else if (armed.delete(timer.key)) heap.remove(timer)
        expect(heap.size).toBe(armed.size)
        expect(heap.peek()?.key).toBe(sorted()[0]?.[0])
      }
      const popped: [string, number][] = []
      for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
        heap.remove(top)
        popped.push([top.key, top.dueAt])
      }
      expect(popped).toEqual(sorted())
    }),
    { numRuns: sample(300) },
  )
})

test('a dictionary equals a plain map, and its swaps what changed in it, also with rows that come, go and come again', () => {
  const step = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    kind: fc.constantFrom('set', 'set', 'delete', 'forget', 'swap'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const dictionary = new Dictionary(new OrderedKeys())
      const plain = new Map<string, number>()
      const swaps: { dirty: Iterable<{ key: string; value: unknown } | null>; whole: Map<string, number> }[] = []
      for (const [at, { key, kind }] of [...steps, { key: 'a', kind: 'swap' as const }].entries()) {
        if (kind === 'set') {
          dictionary.set(key, at)
          plain.set(key, at)
        } else if (kind === 'delete') expect(dictionary.delete(key)).toBe(plain.delete(key))
        else if (kind === 'swap') swaps.push({ dirty: dictionary.swap(at), whole: new Map(plain) })
        else if (dictionary.find(key) === undefined) dictionary.forget(dictionary.place(key))
        expect(dictionary.get(key)).toBe(plain.get(key))
        expect(dictionary.has(key)).toBe(plain.has(key))
        expect(dictionary.size).toBe(plain.size)
        expect(dictionary.range({ from: '', to: 'z', limit: 9, reverse: false })).toEqual([...plain.keys()].sort())
      }
      const stored = new Map<string, unknown>()
      for (const { dirty, whole } of swaps) {
        const rows = [...dirty].filter((row) => row !== null)
        expect(new Set(rows.map((row) => row.key)).size).toBe(rows.length)
        expect([...dirty].filter((row) => row !== null)).toEqual(rows)
        for (const { key, value } of rows) {
          if (value === undefined) expect(stored.delete(key)).toBe(true)
          else stored.set(key, value)
        }
        expect(new Map([...stored].sort())).toEqual(new Map([...whole].sort()))
      }
    }),
    { numRuns: sample(300) },
  )
})
