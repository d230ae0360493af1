import { expect, test } from 'vitest'
import { machineHarness } from '../../src/testing/index.ts'
import { orderList } from './order-list.ts'

test('the machine of docs/concepts/queries.md gives the newest orders of an owner, a page at a time', () => {
  const harness = machineHarness(orderList)
  const [alice, bob] = [harness.session('user:alice'), harness.session('user:bob')]
  for (const [at, item] of ['pen', 'ink', 'paper'].entries()) {
    alice.machines['order-list'].place({ id: `o-${at}`, item })
    bob.machines['order-list'].place({ id: `b-${at}`, item })
    harness.advance('1s')
  }
  const owner = 'user:alice'
  const first = alice.queries['order-list'].newest({ owner })
  if (first.kind !== 'ok') throw new Error(first.code)
  expect(first.value.map(({ item }) => item)).toEqual(['paper', 'ink'])
  const last = first.value.at(-1)
  if (last === undefined) throw new Error('there is a page')
  const after = { id: last.id, placedAt: last.placedAt }
  expect(alice.queries['order-list'].newest({ owner, after })).toMatchObject({ kind: 'ok', value: [{ item: 'pen' }] })
  expect(alice.queries['order-list'].count(owner)).toEqual({ kind: 'ok', value: 3 })
})
