import { checkMachine, machineHarness } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { HOLD_MS, inventory } from './inventory.ts'

function shop() {
  const world = machineHarness(inventory)
  const ada = world.session('user:ada')
  const { inventory: stock } = ada.machines
  stock.receive({ item: 'tea', quantity: 5 })
  const level = () => ada.queries.inventory.level('tea')
  return { world, ada, stock, level }
}

test('what is reserved nobody else gets, and the refusal says how many are left', () => {
  const { stock, level } = shop()
  expect(stock.reserve({ reservation: 'r1', item: 'tea', quantity: 3 })).toMatchObject({ kind: 'ok' })
  const second = stock.reserve({ reservation: 'r2', item: 'tea', quantity: 3 })
  expect(second).toEqual({ kind: 'rejected', code: 'TOO_FEW', details: { free: 2 } })
  expect(level()).toEqual({ kind: 'ok', value: { free: 2, held: 3, sold: 0 } })
})

test('a reservation that is not confirmed in time gives its pieces back, and its buyer hears of it', () => {
  const { world, ada, stock, level } = shop()
  stock.reserve({ reservation: 'r1', item: 'tea', quantity: 3 })
  world.advance(HOLD_MS)
  expect(level()).toEqual({ kind: 'ok', value: { free: 5, held: 0, sold: 0 } })
  expect(ada.requests).toMatchObject([{ type: 'inventory.expired', payload: { reservation: 'r1' } }])
  expect(stock.confirm('r1')).toMatchObject({ kind: 'rejected', code: 'NOT_FOUND' })
})

test('one that is confirmed stays, and one that is released does not expire', () => {
  const { world, stock, level } = shop()
  stock.reserve({ reservation: 'r1', item: 'tea', quantity: 1 })
  stock.reserve({ reservation: 'r2', item: 'tea', quantity: 1 })
  stock.confirm('r1')
  stock.release('r2')
  expect(world.timers).toEqual([])
  world.advance(HOLD_MS)
  expect(level()).toEqual({ kind: 'ok', value: { free: 4, held: 0, sold: 1 } })
  expect(stock.release('r1')).toMatchObject({ kind: 'rejected', code: 'CONFLICT', details: { status: 'sold' } })
})

test('a worker packs what is sold, and its buyer hears the parcel', () => {
  const { world, ada, stock } = shop()
  const packer = world.session('svc:packer', { roles: ['packer'] })
  stock.reserve({ reservation: 'r1', item: 'tea', quantity: 1 })
  stock.confirm('r1')
  const [task] = world.tasks
  if (task === undefined) throw new Error('no task was queued')
  packer.complete(task, { parcel: 'p-1' })
  expect(ada.requests).toMatchObject([{ type: 'inventory.packed', payload: { reservation: 'r1', parcel: 'p-1' } }])
})

test('whatever is done in whatever order, no pile is negative, and replicas agree', async () => {
  await checkMachine(inventory, {
    runs: 10,
    invariants: {
      'no pile is negative': ({ items }) =>
        items.range({ limit: 1000 }).every(([, { free, held, sold }]) => Math.min(free, held, sold) >= 0),
    },
  })
})
