import { machineHarness, testCluster } from 'holdfast/testing'
import { chartPaths } from 'holdfast/xstate'
import { expect, test } from 'vitest'
import { order, orders } from './order-chart.ts'

test('an order lapses after ten minutes', () => {
  const world = machineHarness(orders)
  const ada = world.session('user:ada')
  ada.machines.orders.create({ id: 'o-1', input: { cents: 500 } })
  expect(ada.machines.orders.send({ id: 'o-1', event: { type: 'PAY', cents: 400 } })).toMatchObject({
    code: 'INVALID_STATE_TRANSITION',
    details: { from: 'waiting', allowed: ['PAY', 'CANCEL'], reason: 'guarded' },
  })
  world.advance('10m')
  expect(ada.queries.orders.state('o-1')).toMatchObject({ value: { value: 'lapsed', status: 'done' } })
})

test('every edge of its chart that clients can take leads where it says', () => {
  const { paths, always } = chartPaths(order, { input: { cents: 500 }, samples: [{ type: 'PAY', cents: 500 }] })
  expect(always).toEqual([])
  expect(paths.map(({ value }) => value)).toEqual(['waiting', 'shipping', 'cancelled'])
  for (const { events, value } of paths) {
    const { machines } = machineHarness(orders).session('user:ada')
    machines.orders.create({ id: 'o-1', input: { cents: 500 } })
    for (const event of events) machines.orders.send({ id: 'o-1', event: event as never })
    expect(machines.orders.send({ id: 'o-1', event: { type: 'CANCEL' } }).kind).toBe(
      value === 'waiting' ? 'ok' : 'rejected',
    )
  }
})

test('on three nodes its timer outlives the leader, and a worker ships', async () => {
  const cluster = await testCluster([orders], { nodes: 3, seed: 1 })
  const ada = await cluster.session('user:ada')
  const shipper = await cluster.session('svc:shipper', { roles: ['shipper'] })
  const { create, send } = ada.machines.orders
  const state = ada.queries.orders.state

  const worker = shipper.worker({ ship: async ({ input }) => `parcel for ${input.cents}` })
  const shipped = new Promise<string>((resolve) => {
    ada.on('orders.emitted', ({ payload }) => resolve(payload.event.parcel))
  })

  await create({ id: 'o-1', input: { cents: 500 }, watch: true })
  await create({ id: 'o-2', input: { cents: 300 } })
  await cluster.killLeader()
  await send({ id: 'o-1', event: { type: 'PAY', cents: 500 } })
  await cluster.advance('5s')
  expect(await shipped).toBe('parcel for 500')

  await cluster.advance('10m')
  expect(await state('o-1')).toMatchObject({ value: { value: 'shipped', context: { parcel: 'parcel for 500' } } })
  expect(await state('o-2')).toMatchObject({ value: { value: 'lapsed' } })
  await worker.stop()
  await cluster.close()
})
