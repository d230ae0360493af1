import fc from 'fast-check'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { DEFAULT_LIMITS } from '../../src/codec/entry/default-limits.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { bare, mount, type InputOf, type OutputOf } from '../../src/machine/index.ts'
import { BareCounter, counter, COUNTER_MAX } from '../../src/machines/index.ts'
import { applyTwice, withDeterminismGuard } from '../../src/testing/index.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { codec, SessionWorld } from './session-world.ts'
import { sample } from '../effort.ts'

const kit = mount([counter], codec)

const styles = [
  ['defined with the kit', () => kit.userMachine],
  ['of three bare functions', () => new BareCounter(codec)],
  ['of three bare functions, mounted', () => mount([bare('counter', new BareCounter(codec))], codec).userMachine],
] as const

describe.each(styles)('the counter %s', (_style, create) => {
  const world = () => {
    const made = new SessionWorld(withDeterminismGuard(create()))
    return { made, session: made.open('user:a') }
  }
  test('FR-001 FR-005 UPR-1 UPR-2 counts per name and answers the new value, without a cluster', () => {
    const { made, session } = world()
    expect(made.apply(session, 'counter', 'increment', { name: 'a', by: 2 })).toEqual({ kind: 'value', value: 2 })
    expect(made.apply(session, 'counter', 'increment', { name: 'a', by: 3 })).toEqual({ kind: 'value', value: 5 })
    expect(made.apply(session, 'counter', 'increment', { name: 'b', by: 1 })).toEqual({ kind: 'value', value: 1 })
    expect(made.query('counter', 'value', 'a')).toEqual({ kind: 'value', value: 5 })
    expect(made.query('counter', 'value', 'c')).toEqual({ kind: 'value', value: 0 })
  })
  test('UPC-4 UINV-1 beyond the maximum it rejects, and neither the row nor a server request is left', () => {
    const { made, session } = world()
    made.apply(session, 'counter', 'increment', { name: 'a', by: COUNTER_MAX })
    const rows = made.state.counts.rows
    const refused = made.apply(session, 'counter', 'increment', { name: 'a', by: 1 })
    expect(refused).toEqual({ kind: 'reject', code: 'TOO_BIG', details: { max: COUNTER_MAX } })
    expect(made.query('counter', 'value', 'a')).toEqual({ kind: 'value', value: COUNTER_MAX })
    expect(made.outbox(session)).toHaveLength(1)
    // The cached rejection took the place of the cached response below the floor.
    expect(made.state.counts.rows).toBe(rows)
  })
  test('FR-021 each change is sent to its session', () => {
    const { made, session } = world()
    made.apply(session, 'counter', 'increment', { name: 'a', by: 2 })
    const [request] = made.outbox(session)
    expect(request).toMatchObject({ serverRequestId: 1, type: 'counter.changed', payload: { name: 'a', value: 2 } })
  })
  test('a caller that never handles what it is sent goes on counting: the oldest are dropped', () => {
    const { made, session } = world()
    // The limit of 10,000 takes seconds to fill.
    made.payload('Limits', { ...DEFAULT_LIMITS, outboxCountMax: 100 })
    for (let count = 1; count < 110; count += 1) made.apply(session, 'counter', 'increment', { name: 'a', by: 0 })
    const outcome = made.apply(session, 'counter', 'increment', { name: 'a', by: 7 })
    expect(outcome).toEqual({ kind: 'value', value: 7 })
    expect(made.outbox(session)[0]).toMatchObject({ serverRequestId: 11 })
  })
  test('UPC-4 what it does not know is refused', () => {
    const { made, session } = world()
    expect(made.apply(session, 'counter', 'decrement', null)).toMatchObject({ kind: 'reject', code: 'UNKNOWN_COMMAND' })
    expect(made.query('counter', 'values', 'a')).toMatchObject({ kind: 'reject', code: 'UNKNOWN_QUERY' })
  })
})

describe('both styles', () => {
  test('UPC-1 UPC-2 FR-002 give equal answers, outboxes and state hashes for any commands', () => {
    const name = fc.constantFrom('a', 'b', 'é/\u0000', '')
    const step = fc.record({ name, by: fc.integer({ min: -600, max: 600 }), session: fc.nat({ max: 1 }) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const worlds = styles.map(([, create]) => new SessionWorld(create()))
        const seen = worlds.map((made) => {
          const sessions = [made.open('user:a'), made.open('user:b')]
          const answers = steps.map(({ name, by, session }) =>
            made.apply(sessions[session] ?? expect.fail(), 'counter', 'increment', { name, by }),
          )
          return { answers, outboxes: sessions.map((id) => made.outbox(id)), hash: made.state.stateHash() }
        })
        for (const other of seen) expect(other).toEqual(seen[0])
      }),
      { numRuns: sample(50) },
    )
  })
  test('FM-2 applying everything twice reports nothing for it, and the index for a machine that is not deterministic', () => {
    const run = (create: () => ReturnType<(typeof styles)[number][1]>): string[] => {
      const found: string[] = []
      const twice = applyTwice(
        () => new SessionStateMachine(create(), codec),
        ({ index, what }) => found.push(`${what} at ${index}`),
      )
      const source = new SessionWorld(new BareCounter(codec))
      const session = source.open('user:a')
      source.apply(session, 'counter', 'increment', { name: 'a', by: 2 })
      for (const entry of source.entries) twice.apply(entry, 1)
      return found
    }
    expect(run(styles[0][1])).toEqual([])
    let calls = 0
    const count = () => {
      calls += 1
      return calls
    }
    const answering = { kind: 'value', value: null } as const
    const unsteady = (apply: () => { kind: 'value'; value: Value }) => () => ({
      apply,
      onSessionCreated: () => undefined,
      onSessionExpired: () => undefined,
    })
    expect(run(unsteady(() => answering))).toEqual([])
    expect(run(unsteady(() => ({ kind: 'value', value: count() })))).toEqual(['reply at 4'])
    const inRows = () => ({
      ...unsteady(() => answering)(),
      apply: (...[context]: Parameters<BareCounter['apply']>) => {
        context.state.set('counter/x', count())
        return answering
      },
    })
    expect(run(inRows)).toEqual(['stateHash at 4'])
  })
})

describe('the inputs of the counter', () => {
  test('UINV-2 its commands are typed for clients', () => {
    expectTypeOf<InputOf<typeof counter.commands.increment>>().toEqualTypeOf<{
      name: string
      by?: number | undefined
    }>()
    expectTypeOf<OutputOf<typeof counter.commands.increment>>().toEqualTypeOf<number>()
  })
  test('a default is filled in before the log, an input that does not fit never reaches it', () => {
    const made = new SessionWorld(kit.userMachine)
    const session = made.open('user:a')
    expect(made.submit(kit, session, 'counter', 'increment', { name: 'a' })).toEqual({ kind: 'value', value: 1 })
    const applied = made.state.appliedIndex
    for (const input of [{ name: '' }, { name: 'a', by: 0.5 }, { name: 'a', bye: 1 }, null]) {
      expect(made.submit(kit, session, 'counter', 'increment', input)).toBe('VALIDATION_ERROR')
    }
    expect(made.state.appliedIndex).toBe(applied)
  })
})
