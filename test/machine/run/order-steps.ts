import fc from 'fast-check'
import type { Value } from '../../../src/codec/value/value.ts'
import type { Order, OrderId } from './order-book.ts'

const id: fc.Arbitrary<OrderId> = fc.tuple(fc.constantFrom('', 'a', 'a\0', 'ab'), fc.integer({ min: -1, max: 1 }))
const order: fc.Arbitrary<Order> = fc.record(
  {
    owner: fc.constantFrom(null, '', 'a', 'a\0', 'a\u0001', 'é', '\u{1f600}'),
    at: fc.constantFrom(-(2 ** 53) + 1, -1, 0, 1, 2 ** 53 - 1),
    price: fc.oneof(
      fc.constantFrom(0, 1, -1.5, 2 ** 53 - 1),
      // An integer beyond 2^53 is no value, nor is −0.
      fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .filter((price) => !Number.isInteger(price) || Number.isSafeInteger(price))
        .map((price) => price + 0),
    ),
    paid: fc.boolean(),
    mark: fc.uint8Array({ maxLength: 2 }),
  },
  { requiredKeys: ['owner', 'at', 'price', 'paid'], noNullPrototype: true },
)

/** One thing that happens to the book. */
export type OrderStep =
  | { readonly kind: 'put' | 'refuse' | 'throws'; readonly id: OrderId; readonly row: Order }
  | { readonly kind: 'remove'; readonly id: OrderId }
  | { readonly kind: 'change'; readonly id: OrderId; readonly rows: readonly Order[] }
  | { readonly kind: 'pay'; readonly owner: string }

const step: fc.Arbitrary<OrderStep> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), id, row: order }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('refuse' as const, 'throws' as const), id, row: order }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('change' as const), id, rows: fc.array(order, { maxLength: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pay' as const), owner: fc.constantFrom('', 'a') }) },
)

/** Up to 25 of them, among few keys and few owners. */
export const orderSteps: fc.Arbitrary<OrderStep[]> = fc.array(step, { minLength: 1, maxLength: 25, size: 'max' })

/** What a command of the step's kind is given. */
export const inputOf = (step: OrderStep): Value => {
  const { kind, ...rest } = step
  if (kind === 'remove') return (rest as { id: OrderId }).id
  return (kind === 'pay' ? (rest as { owner: string }).owner : rest) as Value
}
