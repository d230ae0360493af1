import { expect, test } from 'vitest'
import { checkMachine, machineHarness } from '../../src/testing/index.ts'
import { sample } from '../effort.ts'
import { deliveries } from './order-waits.ts'

test('the machine of docs/concepts/waits.md does what the page says', () => {
  const harness = machineHarness([deliveries])
  const alice = harness.session('user:alice')
  const orders = () => harness.table('deliveries', 'orders').map(([order, { status }]) => [order, status])
  alice.machines.deliveries.place('o-1')
  expect(harness.waits).toMatchObject([{ machine: 'deliveries', kind: 'paid', key: 'o-1', owner: alice.id }])
  expect(alice.machines.deliveries.paid({ order: 'o-1', receipt: 'r-1' })).toEqual({ kind: 'ok', value: 'taken' })
  // The callback is faster than the order.
  expect(alice.machines.deliveries.paid({ order: 'o-2', receipt: 'r-2' })).toEqual({ kind: 'ok', value: 'kept' })
  alice.machines.deliveries.place('o-2')
  alice.machines.deliveries.place('o-3')
  alice.machines.deliveries.place('o-4')
  expect(alice.machines.deliveries.cancel('o-4')).toEqual({ kind: 'ok', value: true })
  harness.advance('3m')
  expect(orders()).toEqual([
    ['o-1', 'paid by r-1'],
    ['o-2', 'paid by r-2'],
    ['o-3', 'timedOut'],
    ['o-4', 'placed'],
  ])
  expect(harness.waits).toEqual([])
})

test('and tells a client of the end of its own wait', () => {
  const harness = machineHarness([deliveries])
  const alice = harness.session('user:alice')
  for (const receipt of ['r-1', 'r-2']) alice.machines.deliveries.tell({ order: 'o-1', receipt })
  const waited = alice.machines.deliveries.listen('o-1')
  const waitId = waited.kind === 'ok' ? waited.value : null
  expect(alice.requests).toMatchObject([
    {
      type: 'deliveries.paid',
      payload: { waitId, key: 'told/o-1', end: { kind: 'signalled', value: { receipt: 'r-2' } } },
    },
  ])
})

test('and does the same on every replica, after snapshots, redelivery and the end of sessions', async () => {
  const orders = ['o-1', 'o-2']
  const told = orders.map((order) => ({ order, receipt: 'r' }))
  let waiting = 0
  const report = await checkMachine(deliveries, {
    runs: sample(20),
    inputs: { place: orders, paid: told, cancel: orders, listen: orders, tell: told },
    invariants: {
      'who waits for a payment has an order': ({ orders: rows }, _read, { waits }) => {
        waiting += waits.length
        return waits.every(({ kind, key }) => kind !== 'paid' || rows.has(key))
      },
    },
  })
  expect(report.entries).toBeGreaterThan(100)
  expect(waiting).toBeGreaterThan(100)
})
