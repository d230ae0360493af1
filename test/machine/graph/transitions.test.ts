import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  describeRejection,
  mermaid,
  stateGraph,
  stateGraphCases,
  transitionCases,
  transitions,
  type ErrorDetails,
  type EventOf,
  type InvalidTransition,
  type StateOf,
} from '../../../src/machine/index.ts'

const table = {
  pending: { initiate: 'initiated', cancel: 'cancelled' },
  initiated: { confirm: 'confirmed', fail: 'pending', cancel: 'cancelled' },
  confirmed: {},
  cancelled: {},
} as const
const payment = transitions(table, { entity: 'payment' })

const graph = stateGraph(
  { pending: ['initiated', 'cancelled'], initiated: ['confirmed', 'initiated'], confirmed: [], cancelled: [] },
  { entity: 'payment', initial: 'pending' },
)

describe('transition tables', () => {
  test('UINV-2 states and events are types', () => {
    expectTypeOf<StateOf<typeof table>>().toEqualTypeOf<'pending' | 'initiated' | 'confirmed' | 'cancelled'>()
    expectTypeOf<EventOf<typeof table>>().toEqualTypeOf<'initiate' | 'cancel' | 'confirm' | 'fail'>()
    expectTypeOf<Parameters<typeof payment.next>[1]>().toEqualTypeOf<EventOf<typeof table>>()
    // What `next` refuses with may be given to ctx.reject as it is.
    expectTypeOf<InvalidTransition>().toExtend<ErrorDetails>()
  })
  test('a target that is no state crashes', () => {
    const open: { [state: string]: { [event: string]: string } } = { a: { go: 'b' } }
    expect(() => transitions(open)).toThrow('leads to no state')
    expect(() => transitions({})).toThrow('at least one state')
  })
  const cases = transitionCases(payment)
  test('the cases are every state with every event', () => {
    expect(cases).toHaveLength(payment.states.length * payment.events.length)
    expect(cases.filter(({ to }) => to !== null)).toHaveLength(5)
  })
  test.each(cases)('$name', ({ from, event, to }) => {
    const rows: { readonly [state: string]: { readonly [event: string]: string } } = table
    expect(to).toBe(rows[from]?.[event] ?? null)
    const next = payment.next(from, event)
    const allowed = Object.keys(table[from])
    expect(next).toEqual(
      to === null ? { ok: false, error: { entity: 'payment', from, event, allowed } } : { ok: true, value: to },
    )
  })
  test('terminal states, the initial state and allowed events', () => {
    expect(payment.terminal).toEqual(['confirmed', 'cancelled'])
    expect([payment.isTerminal('confirmed'), payment.isTerminal('pending')]).toEqual([true, false])
    expect([payment.initial, transitions(table, { initial: 'initiated' }).initial]).toEqual(['pending', 'initiated'])
    expect(payment.allowedEvents('initiated')).toEqual(['confirm', 'fail', 'cancel'])
  })
  test('events that every object has are not events', () => {
    const next = payment.next('pending', 'toString' as 'cancel')
    expect(next).toMatchObject({ ok: false, error: { event: 'toString' } })
  })
})

describe('state graphs', () => {
  test.each(stateGraphCases(graph))('$name', ({ from, to, legal }) => {
    expect(graph.can(from, to)).toBe(legal)
    const allowed = graph.targets(from)
    expect(graph.check(from, to)).toEqual(
      legal ? { ok: true, value: to } : { ok: false, error: { entity: 'payment', from, to, allowed } },
    )
  })
  test('the cases are every pair, four of them legal', () => {
    expect(stateGraphCases(graph)).toHaveLength(16)
    expect(stateGraphCases(graph).filter(({ legal }) => legal)).toHaveLength(4)
    expect(graph.terminal).toEqual(['confirmed', 'cancelled'])
    expect([graph.initial, graph.isTerminal('confirmed'), graph.isTerminal('pending')]).toEqual([
      'pending',
      true,
      false,
    ])
  })
  test('a target that is no state crashes, and an unknown state has no targets', () => {
    const open: { [state: string]: string[] } = { a: ['b'] }
    expect(() => stateGraph(open)).toThrow('leads to no state')
    expect(() => stateGraph({})).toThrow('at least one state')
    expect(graph.targets('toString' as 'pending')).toEqual([])
  })
})

describe('diagrams', () => {
  test('mermaid draws a table in its own order', () => {
    expect(mermaid(payment)).toBe(`stateDiagram-v2
  [*] --> pending
  pending --> initiated : initiate
  pending --> cancelled : cancel
  initiated --> confirmed : confirm
  initiated --> pending : fail
  initiated --> cancelled : cancel
  confirmed --> [*]
  cancelled --> [*]
`)
  })
  test('states that mermaid cannot read get an alias', () => {
    expect(mermaid(stateGraph({ 'in progress': ['end'], end: [] }))).toBe(`stateDiagram-v2
  state "in progress" as state_0
  state "end" as state_1
  [*] --> state_0
  state_0 --> state_1
  state_1 --> [*]
`)
  })
})

describe('messages of rejections', () => {
  test('UPC-4 a refused transition names the state, the wish and what is allowed', () => {
    const refused = payment.next('initiated', 'initiate')
    expect(describeRejection('INVALID_STATE_TRANSITION', refused.ok ? null : { ...refused.error })).toBe(
      'payment in state initiated cannot take initiate; allowed: confirm, fail, cancel',
    )
    const step = graph.check('confirmed', 'pending')
    expect(describeRejection('INVALID_STATE_TRANSITION', step.ok ? null : { ...step.error })).toBe(
      'payment in state confirmed cannot go to pending; no further step is allowed',
    )
    expect(describeRejection('INVALID_STATE_TRANSITION', null)).toContain('the entity in state ? cannot do this')
  })
  test('other codes say what they mean and carry their details', () => {
    expect(describeRejection('NOT_FOUND', {})).toBe(
      'NOT_FOUND: there is no such entity, or it is not visible to the issuer',
    )
    expect(describeRejection('TOO_BIG', { max: 3 })).toBe('TOO_BIG {"max":3}')
    expect(describeRejection('TOO_BIG', null)).toBe('TOO_BIG')
  })
})
