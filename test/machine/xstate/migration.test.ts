import { assign, createMachine, fromPromise, setup } from 'xstate'
import { describe, expect, test } from 'vitest'
import { NaiveEntity } from './naive.ts'
import { Upgrade } from './upgrade.ts'

const chart = (delay: number) =>
  createMachine({ id: 'pay', initial: 'waiting', states: { waiting: { after: { [delay]: 'late' } }, late: {} } })

describe('X5: a delay that a new version changes', () => {
  test('X5: a kept timer is ignored and the entity waits for ever; ours counts the new delay from the entry of its state', () => {
    const saved = JSON.parse(JSON.stringify(new NaiveEntity(chart(600)).snapshot)) as Record<string, unknown>
    const naive = new NaiveEntity(chart(600)).restore(saved, chart(900)).send({ type: 'xstate.after.600.pay.waiting' })
    expect(naive.snapshot.value).toBe('waiting')
    const longer = new Upgrade(chart(600), chart(900))
    longer.create('e')
    longer.wait(500)
    longer.switch()
    longer.wait(399)
    expect(longer.state('e')).toBe('waiting')
    longer.wait(1)
    expect(longer.state('e')).toBe('late')
    const shorter = new Upgrade(chart(600), chart(100))
    shorter.create('e')
    shorter.wait(500)
    shorter.switch()
    shorter.wait(1)
    expect(shorter.state('e')).toBe('late')
  })

  test('X5: a delay that has kept its name or number keeps its timer', () => {
    const upgrade = new Upgrade(chart(600), chart(600))
    upgrade.create('e')
    upgrade.wait(500)
    upgrade.switch()
    upgrade.wait(100)
    expect(upgrade.state('e')).toBe('late')
  })
})

describe('X10: what a new version adds', () => {
  const older = createMachine({
    id: 'pay',
    initial: 'open',
    states: { open: { on: { NEXT: 'ready' } }, ready: {}, gone: {} },
  })
  const newer = setup({ actors: { look: fromPromise(async () => 1) }, delays: { soon: 100 } }).createMachine({
    id: 'pay',
    initial: 'open',
    context: { entered: false },
    states: {
      open: {
        initial: 'fresh',
        on: { NEXT: 'ready' },
        states: {
          fresh: { entry: assign({ entered: true }), after: { soon: 'stale' }, invoke: { src: 'look', id: 'look' } },
          stale: {},
        },
      },
      ready: {},
    },
  })

  test('X10: has no timers and actors in a snapshot that is restored; ours arms and queues them, for every entity at once', () => {
    const saved = JSON.parse(JSON.stringify(new NaiveEntity(older).snapshot)) as Record<string, unknown>
    const naive = new NaiveEntity(older).restore({ ...saved, context: { entered: false } }, newer)
    expect([naive.snapshot.value, naive.snapshot.children]).toEqual([{ open: 'fresh' }, {}])
    const upgrade = new Upgrade(older, newer, { migrate: () => ({ context: { entered: false } }) })
    for (const id of ['a', 'b', 'c']) upgrade.create(id)
    upgrade.send('c', 'NEXT')
    expect(upgrade.switch()).toEqual([])
    expect([upgrade.state('a'), upgrade.state('b'), upgrade.state('c')]).toEqual([
      { open: 'fresh' },
      { open: 'fresh' },
      'ready',
    ])
    upgrade.wait(100)
    expect([upgrade.state('a'), upgrade.state('b'), upgrade.state('c')]).toEqual([
      { open: 'stale' },
      { open: 'stale' },
      'ready',
    ])
    upgrade.send('a', 'NEXT', 2)
    expect(upgrade.state('a')).toBe('ready')
  })

  test('X10: a state that is gone leaves every entity at the old version, until migrate renames it', () => {
    const without = createMachine({
      id: 'pay',
      initial: 'begun',
      states: { begun: { on: { NEXT: 'ready' } }, ready: {} },
    })
    const upgrade = new Upgrade(older, without)
    for (const id of ['a', 'b']) upgrade.create(id)
    upgrade.send('a', 'NEXT')
    expect(upgrade.switch()).toEqual(['failure'])
    expect([upgrade.state('a'), upgrade.state('b')]).toEqual(['ready', 'open'])
    const renamed = new Upgrade(older, without, {
      migrate: ({ value }) => (value === 'open' ? { value: 'begun' } : {}),
    })
    for (const id of ['a', 'b']) renamed.create(id)
    renamed.send('a', 'NEXT')
    expect(renamed.switch()).toEqual([])
    expect([renamed.state('a'), renamed.state('b')]).toEqual(['ready', 'begun'])
  })

  test('more entities than are read at a time are brought over in one entry', () => {
    const upgrade = new Upgrade(chart(600), chart(900))
    const ids = Array.from({ length: 1_002 }, (_, at) => `e${String(at).padStart(4, '0')}`)
    for (const id of ids) upgrade.create(id)
    upgrade.switch()
    const some = [0, 999, 1_000, 1_001].map((at) => ids[at] ?? '')
    upgrade.wait(899)
    expect(some.map((id) => upgrade.state(id))).toEqual(some.map(() => 'waiting'))
    upgrade.wait(1)
    expect(some.map((id) => upgrade.state(id))).toEqual(some.map(() => 'late'))
  })

  test('an entity that the new chart spawns meanwhile is of that chart already, wherever its id falls', () => {
    const kid = createMachine({ id: 'kid', initial: 'idle', states: { idle: {} } })
    const spawning = setup({ actors: { kid } }).createMachine({
      id: 'pay',
      initial: 'open',
      states: { open: { invoke: { src: 'kid', id: 'kid' }, on: { NEXT: 'ready' } }, ready: {} },
    })
    const brought: string[] = []
    const upgrade = new Upgrade(older, spawning, {
      migrate: ({ id }) => {
        brought.push(id)
        return {}
      },
    })
    for (const id of ['a', 'b']) upgrade.create(id)
    expect(upgrade.switch()).toEqual([])
    expect([brought, upgrade.state('a/kid'), upgrade.state('b/kid')]).toEqual([['a', 'b'], 'idle', 'idle'])
  })
})
