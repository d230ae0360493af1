import { expectTypeOf, test } from 'vitest'
import type { ClientSession, WorkerHandlers, WorkerTask } from '../../src/client/index.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { mail } from '../client/worker/shop.ts'
import type { stock } from './stock.ts'

test('the handlers of a worker have the payload and the result of their kind, under its name or with its machine', () => {
  const made = (session: ClientSession<readonly [typeof stock]>) =>
    session.worker({
      ship: async (payload, task) => {
        expectTypeOf(payload).toEqualTypeOf<{ readonly item: string; readonly quantity: number }>()
        expectTypeOf(task).toEqualTypeOf<WorkerTask<'ship'>>()
        return { parcel: payload.item }
      },
      'stock.count': (payload) => payload.length,
    })
  expectTypeOf(made).returns.toHaveProperty('stop')
})

test('a kind that two machines have is named with its machine alone', () => {
  type Both = WorkerHandlers<typeof stock | typeof mail>
  expectTypeOf<keyof Both>().toEqualTypeOf<'count' | 'stock.count' | 'stock.ship' | 'mail.ship'>()
})

test('without machines any kind is handled, with plain data', () => {
  const made = (session: ClientSession) => session.worker({ any: (payload) => payload })
  expectTypeOf(made).returns.toHaveProperty('stop')
  expectTypeOf<Parameters<WorkerHandlers<never>[string]>[0]>().toEqualTypeOf<Value>()
})
