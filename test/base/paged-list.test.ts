import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PagedList } from '../../src/base/paged-list.ts'

const PAGE = 4096

const acts = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ act: fc.constantFrom('push', 'pop'), count: fc.integer({ min: 1, max: PAGE + 2 }) }),
    },
    { weight: 3, arbitrary: fc.record({ act: fc.constant('set'), count: fc.nat() }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('clear'), count: fc.constant(1) }) },
  ),
  { maxLength: 20 },
)

test('a paged list holds what an array holds, whatever is done to it', () => {
  fc.assert(
    fc.property(acts, (list) => {
      const [paged, array] = [new PagedList<number>(), [] as number[]]
      for (const { act, count } of list) {
        for (let n = 0; act === 'push' && n < count; n += 1) {
          paged.push(n)
          array.push(n)
        }
        for (let n = 0; act === 'pop' && n < count; n += 1) if (paged.pop() !== array.pop()) expect.fail('another item')
        if (act === 'set' && array.length > 0) {
          paged.set(count % array.length, -1)
          array[count % array.length] = -1
        }
        if (act === 'clear') {
          paged.clear()
          array.length = 0
        }
        expect(paged.length).toBe(array.length)
        if (array.length > 0) expect(paged.at(array.length - 1)).toBe(array.at(-1))
      }
      expect([...paged]).toEqual(array)
    }),
    { numRuns: 60 },
  )
})
