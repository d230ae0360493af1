import { describe, expectTypeOf, test } from 'vitest'
import { unreachable } from '../../src/base/assert.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { Refusal } from '../../src/machine/index.ts'
import type { HarnessOutcome, HarnessSession } from '../../src/testing/index.ts'
import type { stock } from './stock.ts'

type Session = HarnessSession<readonly [typeof stock]>
type Reserve = ReturnType<Session['machines']['stock']['reserve']>
type RejectedWith<Any, Code> = Extract<Any, { kind: 'rejected'; code: Code }>
type Free = { readonly [name: string]: Value }

describe('the outcome of a command in a harness', () => {
  test('has its own codes with their details, those of the framework, and that of an input that does not fit', () => {
    expectTypeOf<Extract<Reserve, { kind: 'rejected' }>['code']>().toEqualTypeOf<
      'TOO_FEW' | 'FROZEN' | 'NOT_FOUND' | 'MACHINE_ERROR' | 'OUTBOX_FULL' | 'VALIDATION_ERROR'
    >()
    expectTypeOf<RejectedWith<Reserve, 'TOO_FEW'>['details']>().toEqualTypeOf<{ readonly left: number }>()
    expectTypeOf<RejectedWith<Reserve, 'FROZEN'>['details']>().toEqualTypeOf<{ readonly until: number }>()
    expectTypeOf<RejectedWith<Reserve, 'NOT_FOUND'>['details']>().toEqualTypeOf<Free>()
    expectTypeOf<RejectedWith<Reserve, 'VALIDATION_ERROR'>['details']>().toEqualTypeOf<Free>()
    expectTypeOf<RejectedWith<Reserve, 'SOLD_OUT'>>().toBeNever()
    expectTypeOf<Extract<Reserve, { kind: 'ok' }>['value']>().toEqualTypeOf<{ readonly left: number }>()
  })

  test('is told apart by kind and code, to the last one', () => {
    const told = (outcome: Reserve): number | string => {
      if (outcome.kind === 'ok') return outcome.value.left
      switch (outcome.code) {
        case 'TOO_FEW':
          return outcome.details.left
        case 'FROZEN':
          return outcome.details.until
        case 'MACHINE_ERROR':
          return outcome.details.reason
        case 'NOT_FOUND':
        case 'OUTBOX_FULL':
        case 'VALIDATION_ERROR':
          return outcome.code
        default:
          return unreachable(outcome)
      }
    }
    expectTypeOf(told).returns.toEqualTypeOf<number | string>()
  })

  test('of a command whose codes cannot be seen has every declared and every common one', () => {
    type Drop = ReturnType<Session['machines']['stock']['drop']>
    expectTypeOf<RejectedWith<Drop, 'TOO_FEW'>['details']>().toEqualTypeOf<{ readonly left: number }>()
    expectTypeOf<RejectedWith<Drop, 'CONFLICT'>['details']>().toEqualTypeOf<Free>()
    expectTypeOf<RejectedWith<Drop, 'TOO_MANY'>>().toBeNever()
  })

  test('fits wherever any outcome is taken, and one asked for by its name is any', () => {
    expectTypeOf<Reserve>().toExtend<HarnessOutcome>()
    expectTypeOf<ReturnType<Session['execute']>>().toEqualTypeOf<HarnessOutcome<Value, Refusal>>()
  })
})

test('the outcome of a query in a harness has no code that only a command can meet', () => {
  type Left = ReturnType<Session['queries']['stock']['left']>
  expectTypeOf<Extract<Left, { kind: 'rejected' }>['code']>().toEqualTypeOf<
    'NOT_FOUND' | 'MACHINE_ERROR' | 'VALIDATION_ERROR'
  >()
  expectTypeOf<Extract<Left, { kind: 'ok' }>['value']>().toEqualTypeOf<number>()
})
