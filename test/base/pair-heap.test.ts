import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Pair, PairHeap } from '../../src/base/pair-heap.ts'
import { sample } from '../effort.ts'

const order = (left: Pair, right: Pair): number => left.at - right.at || left.item - right.item

test('pairs come out in order, whatever order they came in, and those that are dropped do not', () => {
  const pair = fc.record({ at: fc.nat(20), item: fc.nat(1000) })
  const operation = fc.oneof(
    { weight: 3, arbitrary: pair },
    { weight: 2, arbitrary: fc.constant('pop' as const) },
    { weight: 1, arbitrary: fc.constantFrom('retain' as const, 'clear' as const) },
  )
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const heap = new PairHeap()
      let held: Pair[] = []
      for (const operation of operations) {
        if (operation === 'pop') {
          heap.pop()
          held.shift()
        } else if (operation === 'retain') {
          heap.retain((item) => item % 3 > 0)
          held = held.filter(({ item }) => item % 3 > 0)
        } else if (operation === 'clear') {
          heap.clear()
          held = []
        } else {
          heap.push(operation.at, operation.item)
          held = [...held, operation].sort(order)
        }
        expect(heap.size).toBe(held.length)
        expect(heap.peek()).toEqual(held[0] ?? null)
      }
    }),
    { numRuns: sample(300) },
  )
})

test('many pairs, over several pages and back', () => {
  const heap = new PairHeap()
  const count = 20_000
  for (let item = 0; item < count; item += 1) heap.push((item * 7919) % count, item)
  for (let at = 0; at < count; at += 1) {
    expect(heap.peek()?.at).toBe(at)
    heap.pop()
  }
  expect(heap.peek()).toBeNull()
  heap.push(1, 2)
  expect(heap.peek()).toEqual({ at: 1, item: 2 })
})
