import { type AnyStateMachine, assign, createMachine, fromPromise, setup, spawnChild } from 'xstate'
import { describe, expect, test } from 'vitest'
import { Upgrade } from './upgrade.ts'

describe('a delay after a new version', () => {
  const never = setup({ guards: { no: () => false } })
  const fired = never.createMachine({
    id: 'pay',
    initial: 'waiting',
    states: { waiting: { after: { 100: { guard: 'no', target: 'late' }, 500: 'late' } }, late: {} },
  })

  test('that has fired is not armed again', () => {
    const upgrade = new Upgrade(
      fired,
      createMachine({
        id: 'pay',
        initial: 'waiting',
        states: { waiting: { after: { 100: 'late', 500: 'late' } }, late: {} },
      }),
    )
    upgrade.create('e')
    upgrade.wait(200)
    upgrade.switch()
    upgrade.wait(299)
    expect(upgrade.state('e')).toBe('waiting')
    upgrade.wait(1)
    expect(upgrade.state('e')).toBe('late')
  })

  test('that has fired is armed when its state is entered again', () => {
    const again = (target: string) =>
      never.createMachine({
        id: 'pay',
        initial: 'waiting',
        context: { times: 0 },
        states: {
          waiting: {
            on: { AGAIN: { target: 'waiting', reenter: true } },
            after: {
              100: { actions: assign({ times: ({ context }) => (context as { times: number }).times + 1 }) },
              150: { guard: 'no', target },
            },
          },
        },
      })
    const upgrade = new Upgrade(again('waiting'), again('waiting'))
    upgrade.create('e')
    upgrade.wait(100)
    upgrade.send('e', 'AGAIN')
    upgrade.wait(100)
    upgrade.switch()
    upgrade.wait(1_000)
    expect(upgrade.view('e')).toMatchObject({ context: { times: 2 } })
  })

  const named = (ms: number | (() => number)) =>
    setup({ delays: { patience: ms } }).createMachine({
      id: 'pay',
      initial: 'waiting',
      states: { waiting: { after: { patience: 'late' } }, late: {} },
    })

  test('of the same name with another number has the new number, from when its state was entered', () => {
    const longer = new Upgrade(named(600), named(900))
    longer.create('e')
    longer.wait(500)
    longer.switch()
    longer.wait(399)
    expect(longer.state('e')).toBe('waiting')
    longer.wait(1)
    expect(longer.state('e')).toBe('late')
    const shorter = new Upgrade(named(600), named(100))
    shorter.create('e')
    shorter.wait(500)
    shorter.switch()
    shorter.wait(1)
    expect(shorter.state('e')).toBe('late')
  })

  test('that a function computes stays as it was computed', () => {
    const upgrade = new Upgrade(
      named(600),
      named(() => 10),
    )
    upgrade.create('e')
    upgrade.wait(500)
    upgrade.switch()
    upgrade.wait(99)
    expect(upgrade.state('e')).toBe('waiting')
    upgrade.wait(1)
    expect(upgrade.state('e')).toBe('late')
  })

  test('of a state whose id is the end of another id counts from the entry of its own state', () => {
    const both = (ms: number) =>
      createMachine({
        id: 'm',
        type: 'parallel',
        states: {
          one: { initial: 'x', states: { x: { id: 'long.wait', after: { [ms]: 'y' } }, y: {} } },
          two: {
            initial: 'off',
            states: { off: { on: { NEXT: 'on' } }, on: { id: 'wait', after: { [ms]: 'over' } }, over: {} },
          },
        },
      })
    const upgrade = new Upgrade(both(500), both(400))
    upgrade.create('e')
    upgrade.wait(200)
    upgrade.send('e', 'NEXT')
    upgrade.switch()
    upgrade.wait(399)
    expect(upgrade.state('e')).toEqual({ one: 'y', two: 'on' })
    upgrade.wait(1)
    expect(upgrade.state('e')).toEqual({ one: 'y', two: 'over' })
  })
})

describe('actors after a new version', () => {
  const work = fromPromise(async () => 1)
  const kid = createMachine({ id: 'kid', initial: 'a', states: { a: { after: { 1000: 'b' } }, b: {} } })

  test('work of a state that was renamed does not run twice', () => {
    const invoking = (state: string, id?: string) =>
      setup({ actors: { work } }).createMachine({
        id: 'pay',
        initial: state,
        states: { [state]: { invoke: id === undefined ? { src: 'work' } : { src: 'work', id } } },
      })
    const renamed = { migrate: () => ({ value: 'begun' }) }
    const upgrade = new Upgrade(invoking('open'), invoking('begun'), renamed)
    upgrade.create('e')
    upgrade.switch()
    expect(upgrade.view('e')).toMatchObject({ actors: ['0.pay.begun'] })
    expect(upgrade.tasks).toMatchObject([{ payload: { actor: '0.pay.begun' } }])
    const named = new Upgrade(invoking('open', 'one'), invoking('begun', 'one'), renamed)
    named.create('e')
    named.switch()
    expect(named.tasks).toMatchObject([{ payload: { actor: 'one', n: 1 } }])
  })

  test('one that was spawned stays, whatever state it is in', () => {
    const spawning = (state: string) =>
      setup({ actors: { work } }).createMachine({
        id: 'pay',
        initial: state,
        entry: spawnChild('work', { id: 'one' }),
        states: { [state]: {} },
      })
    const upgrade = new Upgrade(spawning('open'), spawning('begun'), { migrate: () => ({ value: 'begun' }) })
    upgrade.create('e')
    upgrade.switch()
    expect(upgrade.tasks).toMatchObject([{ payload: { actor: 'one', n: 1 } }])
  })

  test('a child whose machine is gone, or is a promise now, goes', () => {
    const older = setup({ actors: { kid } }).createMachine({
      id: 'pay',
      initial: 'open',
      states: { open: { invoke: { src: 'kid', id: 'kid' } } },
    })
    const without = createMachine({ id: 'pay', initial: 'open', states: { open: {} } })
    const promised = setup({ actors: { kid: work } }).createMachine({
      id: 'pay',
      initial: 'open',
      states: { open: { invoke: { src: 'kid', id: 'kid' } } },
    })
    for (const [newer, tasks] of [[without, 0] as const, [promised, 1] as const]) {
      const upgrade = new Upgrade(older, newer as AnyStateMachine)
      upgrade.create('e')
      upgrade.create('f')
      expect(upgrade.switch()).toEqual([])
      expect(upgrade.ids).toEqual(['e', 'f'])
      expect(upgrade.tasks.length).toBe(2 * tasks)
      upgrade.wait(2_000)
      expect(upgrade.log.reports).toEqual([])
    }
  })

  test('an entity that has ended in a state that is gone is still shown', () => {
    const older = createMachine({
      id: 'pay',
      initial: 'open',
      states: { open: { on: { END: 'over' } }, over: { type: 'final', tags: 'old' } },
    })
    const newer = createMachine({
      id: 'pay',
      initial: 'open',
      states: { open: { on: { END: 'closed' } }, closed: { type: 'final' } },
    })
    const upgrade = new Upgrade(older, newer)
    upgrade.create('e')
    upgrade.send('e', 'END')
    expect(upgrade.switch()).toEqual([])
    expect(upgrade.view('e')).toMatchObject({ status: 'done', value: 'over', tags: [], allowed: [] })
  })
})
