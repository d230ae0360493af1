import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SpreadMap } from '../../src/base/spread-map.ts'

const acts = fc.array(
  fc.record({
    act: fc.constantFrom('set', 'delete', 'get'),
    key: fc.oneof(fc.constantFrom('', 'a', 'b'), fc.string({ maxLength: 24 })),
    value: fc.option(fc.nat(3), { nil: undefined }),
  }),
  { maxLength: 60 },
)

test('a spread map holds what a map holds, whatever is done to it', () => {
  fc.assert(
    fc.property(acts, (list) => {
      const [spread, map] = [new SpreadMap<number | undefined>(), new Map<string, number | undefined>()]
      for (const { act, key, value } of list) {
        if (act === 'delete') expect(spread.delete(key)).toBe(map.delete(key))
        if (act === 'set') {
          spread.set(key, value)
          map.set(key, value)
        }
        expect([spread.get(key), spread.has(key), spread.size]).toEqual([map.get(key), map.has(key), map.size])
      }
    }),
  )
})
