import { describe, expectTypeOf, test } from 'vitest'
import type { ClientSession, Notification, ReceivedRequest, SessionRequest } from '../../src/client/index.ts'
import type { TaskAssignment } from '../../src/client/index.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { counter } from '../../src/machines/index.ts'
import type { stock } from './stock.ts'

type Machines = readonly [typeof stock, typeof counter]
type Session = ClientSession<Machines>
type Request = SessionRequest<Machines>
type PayloadOf<Type> = Extract<Request, { type: Type }>['payload']

describe('server requests of a session that was given machines', () => {
  test('have the types of those machines and of the framework, each with its payload', () => {
    expectTypeOf<Request['type']>().toEqualTypeOf<
      'stock.expired' | 'stock.low' | 'counter.changed' | 'task' | 'notification'
    >()
    expectTypeOf<PayloadOf<'stock.expired'>>().toEqualTypeOf<{ readonly item: string; readonly at: number }>()
    expectTypeOf<PayloadOf<'counter.changed'>>().toEqualTypeOf<{ readonly name: string; readonly value: number }>()
    expectTypeOf<PayloadOf<'notification'>>().toEqualTypeOf<Notification>()
    expectTypeOf<PayloadOf<'task'>>().toEqualTypeOf<
      TaskAssignment<'ship', { readonly item: string; readonly quantity: number }> | TaskAssignment<'count', string>
    >()
  })

  test('reach handlers and iterators with their payloads', () => {
    const handled = (session: Session): Session =>
      session
        .on('stock.expired', ({ payload }) => expectTypeOf(payload.at).toBeNumber())
        .on('counter.changed', async ({ payload }) => expectTypeOf(payload.value).toBeNumber())
        .on('notification', ({ payload }) => expectTypeOf(payload.topic).toBeString())
        .on('*', (request) => expectTypeOf(request).toEqualTypeOf<Request>())
    const iterated = async (session: Session): Promise<void> => {
      for await (const request of session.serverRequests()) {
        if (request.type === 'stock.low') expectTypeOf(request.payload.left).toBeNumber()
      }
    }
    expectTypeOf(handled).returns.toEqualTypeOf<Session>()
    expectTypeOf(iterated).returns.resolves.toBeVoid()
  })
})

describe('server requests of a session without machines', () => {
  test('have any type, and plain data', () => {
    const handled = (session: ClientSession): ClientSession =>
      session.on('stock.expired', ({ payload }) => expectTypeOf(payload).toEqualTypeOf<Value>())
    expectTypeOf(handled).returns.toEqualTypeOf<ClientSession>()
    expectTypeOf<SessionRequest<readonly []>>().toEqualTypeOf<ReceivedRequest>()
  })
})

test('a session with machines may be handed to a function that takes any session', () => {
  expectTypeOf<Session>().toExtend<ClientSession>()
})
