import { machineHarness, testCluster } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { orders, PAY_WITHIN_MS, PIECE_CENTS } from './orders.ts'

test('an order has a price, and one of too many pieces is refused with the most that is possible', () => {
  const ada = machineHarness(orders).session('user:ada')
  const { orders: shop } = ada.machines
  expect(shop.place({ id: 'o-1', pieces: 3 })).toEqual({ kind: 'ok', value: { cents: 3 * PIECE_CENTS } })
  expect(shop.place({ id: 'o-2', pieces: 11 })).toEqual({ kind: 'rejected', code: 'TOO_MANY', details: { max: 10 } })
  expect(shop.place({ id: 'o-1', pieces: 1 })).toMatchObject({ kind: 'rejected', code: 'CONFLICT' })
})

test('an order that is not paid in time lapses, and its buyer hears of it', () => {
  const world = machineHarness(orders)
  const ada = world.session('user:ada')
  ada.machines.orders.place({ id: 'o-1', pieces: 1 })
  world.advance(PAY_WITHIN_MS - 1)
  expect(ada.requests).toEqual([])
  world.advance(1)
  expect(ada.requests).toMatchObject([{ type: 'orders.ended', payload: { id: 'o-1', status: 'lapsed' } }])
  expect(ada.machines.orders.pay({ id: 'o-1' })).toMatchObject({ kind: 'rejected', details: { status: 'lapsed' } })
})

test('an order that no worker can ship ends too, after three attempts', () => {
  const world = machineHarness(orders)
  const ada = world.session('user:ada')
  const shipper = world.session('svc:shipper', { roles: ['shipper'] })
  ada.machines.orders.place({ id: 'o-1', pieces: 1 })
  ada.machines.orders.pay({ id: 'o-1' })
  for (const task of [1, 2, 3].map((attempt) => ({ taskId: world.tasks[0]?.taskId ?? '', attempt }))) {
    shipper.fail(task, 'NO_VAN')
    world.advance('10s')
  }
  expect(ada.queries.orders.order('o-1')).toMatchObject({ value: { status: 'undeliverable', parcel: null } })
})

test('an order is shipped by a worker, although the leader is killed on the way', async () => {
  const cluster = testCluster([orders], { nodes: 3 })
  const ada = await cluster.session('user:ada')
  const ended = new Promise((resolve) => ada.on('orders.ended', ({ payload }) => resolve(payload)))
  await ada.machines.orders.place({ id: 'o-1', pieces: 2 })
  await ada.machines.orders.pay({ id: 'o-1' })
  cluster.killLeader()
  const shipper = await cluster.session('svc:shipper', { roles: ['shipper'] })
  const worker = shipper.worker({ ship: ({ id }) => ({ parcel: `parcel of ${id}` }) })
  expect(await cluster.until(ended)).toEqual({ id: 'o-1', status: 'shipped', parcel: 'parcel of o-1' })
  await cluster.until(worker.stop())
  await cluster.close()
})
