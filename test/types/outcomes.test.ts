import { describe, expectTypeOf, test } from 'vitest'
import type { ClientSession, CommandOutcome, FrameworkRefusal, QueryOutcome } from '../../src/client/index.ts'
import { unreachable } from '../../src/base/assert.ts'
import type { Refusal } from '../../src/machine/index.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { stock } from './stock.ts'

type Session = ClientSession<readonly [typeof stock]>
type Outcome<Call extends (...given: never[]) => Promise<unknown>> = Awaited<ReturnType<Call>>
type Free = { readonly [name: string]: Value }

type Reserve = Outcome<Session['machines']['stock']['reserve']>
type RejectedWith<Any, Code> = Extract<Any, { kind: 'rejected'; code: Code }>

describe('the outcome of a command', () => {
  test('has its own codes with their details, those that a function passed on, and those of the framework', () => {
    expectTypeOf<Extract<Reserve, { kind: 'rejected' }>['code']>().toEqualTypeOf<
      'TOO_FEW' | 'FROZEN' | 'NOT_FOUND' | 'MACHINE_ERROR' | 'OUTBOX_FULL'
    >()
    expectTypeOf<RejectedWith<Reserve, 'TOO_FEW'>['details']>().toEqualTypeOf<{ readonly left: number }>()
    expectTypeOf<RejectedWith<Reserve, 'FROZEN'>['details']>().toEqualTypeOf<{ readonly until: number }>()
    expectTypeOf<RejectedWith<Reserve, 'NOT_FOUND'>['details']>().toEqualTypeOf<Free>()
    expectTypeOf<Extract<Reserve, { kind: 'ok' }>['value']>().toEqualTypeOf<{ readonly left: number }>()
    expectTypeOf<Reserve['kind']>().toEqualTypeOf<'ok' | 'rejected' | 'notExecuted' | 'unknown'>()
  })

  test('is told apart by kind and code, to the last one', () => {
    const told = (outcome: Reserve): number | string => {
      if (outcome.kind !== 'rejected') return outcome.kind
      switch (outcome.code) {
        case 'TOO_FEW':
          return outcome.details.left
        case 'FROZEN':
          return outcome.details.until
        case 'MACHINE_ERROR':
          return outcome.details.reason
        case 'NOT_FOUND':
        case 'OUTBOX_FULL':
          return outcome.code
        default:
          return unreachable(outcome)
      }
    }
    expectTypeOf(told).returns.toEqualTypeOf<number | string>()
  })

  test('of a command that refuses never has those of the framework alone', () => {
    type Add = Outcome<Session['machines']['stock']['add']>
    expectTypeOf<Add>().toEqualTypeOf<CommandOutcome<null, FrameworkRefusal>>()
  })

  test('of a command whose codes cannot be seen has every declared and every common one', () => {
    type Drop = Outcome<Session['machines']['stock']['drop']>
    expectTypeOf<RejectedWith<Drop, 'TOO_FEW'>['details']>().toEqualTypeOf<{ readonly left: number }>()
    expectTypeOf<RejectedWith<Drop, 'CONFLICT'>['details']>().toEqualTypeOf<Free>()
    expectTypeOf<RejectedWith<Drop, 'TOO_MANY'>>().toBeNever()
  })

  test('fits wherever any outcome is taken', () => {
    expectTypeOf<Reserve>().toExtend<CommandOutcome>()
    expectTypeOf<CommandOutcome>().toEqualTypeOf<CommandOutcome<Value, Refusal<string, Value>>>()
  })
})

describe('the outcome of a query', () => {
  test('has its own codes and MACHINE_ERROR', () => {
    type Left = Outcome<Session['queries']['stock']['left']>
    expectTypeOf<Extract<Left, { kind: 'rejected' }>['code']>().toEqualTypeOf<'NOT_FOUND' | 'MACHINE_ERROR'>()
    expectTypeOf<Left>().toExtend<QueryOutcome>()
    type All = Outcome<Session['queries']['stock']['all']>
    expectTypeOf<Extract<All, { kind: 'rejected' }>['code']>().toEqualTypeOf<'MACHINE_ERROR'>()
    expectTypeOf<Extract<All, { kind: 'ok' }>['value']>().toEqualTypeOf<readonly string[]>()
  })
})
