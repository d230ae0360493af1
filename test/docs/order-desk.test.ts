import { machineHarness } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { desk } from './order-desk.ts'

test('a desk takes the money of who bought, and its orders lapse and are shipped as their chart says', () => {
  const world = machineHarness(desk)
  const [ada, bob] = [world.session('user:ada'), world.session('user:bob')]
  const shipper = world.session('svc:shipper', { roles: ['shipper'] })
  const { buy, pay } = ada.machines.desk
  const bill = { id: 'o-1', cents: 500 }
  expect([buy(bill), buy(bill)]).toMatchObject([{ kind: 'ok' }, { code: 'CONFLICT' }])
  expect(bob.machines.desk.pay(bill)).toMatchObject({ code: 'NOT_FOUND' })
  expect(pay({ id: 'o-1', cents: 400 })).toMatchObject({
    code: 'INVALID_STATE_TRANSITION',
    details: { from: 'waiting', reason: 'guarded' },
  })
  expect(pay(bill)).toMatchObject({ kind: 'ok' })
  const [task] = world.tasks
  if (task !== undefined) shipper.complete(task, 'parcel 1')
  buy({ id: 'o-2', cents: 1 })
  world.advance('10m')
  expect(world.table('desk', 'entities')).toMatchObject([
    ['o-1', { value: 'shipped', context: { parcel: 'parcel 1' } }],
    ['o-2', { value: 'lapsed' }],
  ])
})
