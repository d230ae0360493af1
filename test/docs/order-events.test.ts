import { expect, test } from 'vitest'
import { machineHarness } from '../../src/testing/index.ts'
import { orders, stock } from './order-events.ts'

test('the machines of docs/concepts/events.md do what the page says', () => {
  const harness = machineHarness([orders, stock])
  const alice = harness.session('user:alice')
  alice.machines.stock.put({ item: 'pen', count: 1 })
  expect(alice.machines.orders.pay({ id: 'o-1', item: 'pen' })).toEqual({ kind: 'ok', value: 1 })
  expect(alice.queries.orders.left('pen')).toEqual({ kind: 'ok', value: 0 })
  expect(alice.machines.orders.pay({ id: 'o-2', item: 'pen' })).toMatchObject({ kind: 'rejected', code: 'SOLD_OUT' })
  expect(harness.table('orders', 'paid')).toEqual([['o-1', 'pen']])
})
