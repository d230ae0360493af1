import { assign, cancel, createActor, createMachine, raise, SimulatedClock } from 'xstate'
import { describe, expect, test } from 'vitest'
import { NaiveEntity } from './naive.ts'
import { OneEntity } from './one-entity.ts'

/** What the one entity waits for: event types with the ms until they are due. */
function armed({ row, harness }: OneEntity): readonly string[] {
  return row.timers.map(({ event, dueAt }) => `${event.type} ${dueAt - harness.now}`)
}

describe('timers', () => {
  const machine = createMachine({
    id: 'pay',
    initial: 'waiting',
    states: {
      waiting: { after: { 600: 'late' }, on: { PAY: 'paid' } },
      late: { after: { 400: 'lost' }, on: { PAY: 'paid' } },
      paid: {},
      lost: { type: 'final' },
    },
  })

  test('fire at their time and not before, once, and end with the state that armed them', () => {
    const ours = new OneEntity(machine)
    ours.create()
    expect(armed(ours)).toEqual(['xstate.after.600.pay.waiting 600'])
    ours.harness.advance(599)
    expect(ours.view.value).toBe('waiting')
    ours.harness.advance(1)
    expect(ours.view.value).toBe('late')
    expect(ours.sends({ type: 'PAY' })).toEqual(['paid'])
    expect([armed(ours), ours.harness.timers]).toEqual([[], []])
    ours.harness.advance(1_000)
    expect(ours.view).toMatchObject({ value: 'paid', status: 'active' })
  })

  test('several fall due in one step of time, each at its own', () => {
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(5_000)
    expect(ours.view).toMatchObject({ value: 'lost', status: 'done' })
    expect(ours.harness.failures).toEqual([])
  })
})

describe('X9: a timer of a state that was left', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    context: { odd: 0 },
    states: {
      a: { after: { 100: 'c' }, on: { NEXT: 'b' } },
      b: { on: { '*': { actions: assign({ odd: ({ context }) => context.odd + 1 }) } } },
      c: {},
    },
  })

  test("X9: is taken by '*' where it is still delivered; ours has disarmed it", () => {
    const naive = new NaiveEntity(machine).send({ type: 'NEXT' }).send({ type: 'xstate.after.100.m.a' })
    expect(naive.snapshot.context).toEqual({ odd: 1 })
    const ours = new OneEntity(machine)
    ours.create()
    ours.send({ type: 'NEXT' })
    ours.harness.advance(1_000)
    expect(ours.view.context).toEqual({ odd: 0 })
  })
})

describe('X11: timers of a parallel state', () => {
  const region = (other: string) => ({
    initial: 'run',
    after: { 100: {} },
    states: { run: {}, [other]: {} },
  })
  const machine = createMachine({
    id: 'm',
    type: 'parallel',
    states: {
      left: { ...region('x'), on: { OWN: '.run', AGAIN: { target: 'left', reenter: true }, OTHER: '#m.right' } },
      right: region('y'),
    },
  } as never)
  /** Which regions are armed anew by an event 40 ms after the start. */
  const anew = (type: string): readonly number[] => {
    const ours = new OneEntity(machine)
    ours.create()
    ours.harness.advance(40)
    expect(ours.send({ type })).toMatchObject({ kind: 'ok' })
    return ours.row.timers.map(({ dueAt }) => dueAt - ours.harness.now).sort((one, other) => one - other)
  }

  test('X11: all are armed again by reenter, and by a target in a sibling; a naive one keeps both timers of each', () => {
    const naive = new NaiveEntity(machine).send({ type: 'AGAIN' })
    const kinds = naive.actions.map(
      ({ type, params }) =>
        `${type} ${(params as { id?: string; sendId?: string }).id ?? (params as { sendId: string }).sendId}`,
    )
    expect(kinds).toEqual([
      'xstate.cancel xstate.after.100.m.right',
      'xstate.cancel xstate.after.100.m.left',
      'xstate.raise xstate.after.100.m.left',
      'xstate.raise xstate.after.100.m.right',
    ])
    expect([anew('OWN'), anew('AGAIN'), anew('OTHER')]).toEqual([
      [60, 60],
      [100, 100],
      [100, 100],
    ])
  })
})

describe('X17: delayed events of one id', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    context: { pings: 0 },
    states: {
      a: {
        after: { 1000: 'over' },
        on: {
          SELF: 'a',
          AGAIN: { target: 'a', reenter: true },
          ARM: { actions: raise({ type: 'PING' }, { id: 'ping', delay: 100 }) },
          STOP: { actions: cancel('ping') },
          PING: { actions: assign({ pings: ({ context }) => context.pings + 1 }) },
        },
      },
      over: {},
    },
  })
  /** What an actor with a simulated clock has after the steps: numbers let time pass. */
  const live = (...steps: readonly (string | number)[]): unknown => {
    const clock = new SimulatedClock()
    const actor = createActor(machine, { clock }).start()
    for (const step of steps) typeof step === 'number' ? clock.increment(step) : actor.send({ type: step })
    return { value: actor.getSnapshot().value, pings: actor.getSnapshot().context.pings }
  }
  /** The same with timers kept by their id, as one would store them first. */
  const byId = (...steps: readonly (string | number)[]): unknown => {
    const naive = new NaiveEntity(machine)
    const timers = new Map<string, { at: number; type: string }>()
    let now = 0
    const note = (): void => {
      for (const { type, params } of naive.actions) {
        const { id, sendId, delay, event } = params as {
          id: string
          sendId: string
          delay: number
          event: { type: string }
        }
        if (type === 'xstate.cancel') timers.delete(sendId)
        else timers.set(id, { at: now + delay, type: event.type })
      }
    }
    note()
    for (const step of steps) {
      if (typeof step === 'string') naive.send({ type: step })
      else {
        now += step
        for (const [id, { at, type }] of timers) {
          if (at > now) continue
          timers.delete(id)
          naive.send({ type })
          note()
        }
        continue
      }
      note()
    }
    return { value: naive.snapshot.value, pings: (naive.snapshot.context as { pings: number }).pings }
  }
  const own = (...steps: readonly (string | number)[]): unknown => {
    const ours = new OneEntity(machine)
    ours.create()
    for (const step of steps) typeof step === 'number' ? ours.harness.advance(step) : ours.send({ type: step })
    return { value: ours.view.value, pings: (ours.view.context as { pings: number }).pings }
  }

  test('X17: both are delivered and cancel stops the last; kept by its id one is lost; ours does as the actor does', () => {
    const twice = ['ARM', 50, 'ARM', 100] as const
    expect([live(...twice), byId(...twice), own(...twice)]).toEqual([
      { value: 'a', pings: 2 },
      { value: 'a', pings: 1 },
      { value: 'a', pings: 2 },
    ])
    const stopped = ['ARM', 50, 'ARM', 'STOP', 'STOP', 100] as const
    expect([live(...stopped), byId(...stopped), own(...stopped)]).toEqual([
      { value: 'a', pings: 1 },
      { value: 'a', pings: 0 },
      { value: 'a', pings: 1 },
    ])
    const orphaned = ['ARM', 50, 'ARM', 50, 'STOP', 100] as const
    expect(own(...orphaned)).toEqual(live(...orphaned))
    expect(live(...orphaned)).toEqual({ value: 'a', pings: 2 })
  })

  test('X17: a transition to itself does not arm its timer again, with reenter it does', () => {
    expect([own('SELF', 999), own(500, 'SELF', 500), own(500, 'AGAIN', 999), own(500, 'AGAIN', 1_000)]).toEqual([
      live('SELF', 999),
      live(500, 'SELF', 500),
      live(500, 'AGAIN', 999),
      live(500, 'AGAIN', 1_000),
    ])
    expect([live(500, 'SELF', 500), live(500, 'AGAIN', 999)]).toMatchObject([{ value: 'over' }, { value: 'a' }])
  })
})

describe('time', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    context: ({ input }: { input: { now: number } }) => ({ began: input.now, at: 0 }),
    states: {
      a: {
        after: { 100: { actions: assign({ at: ({ event }) => (event as unknown as { now: number }).now }) } },
        on: { LOOK: { guard: ({ event }) => event.now > 0, actions: assign({ at: ({ event }) => event.now }) } },
      },
    },
  })

  test('comes to guards and assigns as a field of the event and of the input, which clients may not send', () => {
    const ours = new OneEntity(machine, { timeField: 'now' })
    const began = ours.harness.now
    ours.create({})
    ours.harness.advance(50)
    expect(ours.send({ type: 'LOOK' })).toMatchObject({ value: { context: { began, at: began + 50 } } })
    ours.harness.advance(500)
    expect(ours.view.context).toEqual({ began, at: began + 100 })
    expect(ours.send({ type: 'LOOK', now: 1 })).toMatchObject({ code: 'VALIDATION_ERROR' })
  })
})
