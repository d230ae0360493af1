import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, query, table } from '../../../src/machine/index.ts'
import { counter, register } from '../../../src/machines/index.ts'
import { testCluster, type TestCluster, type TypedMachines } from '../../../src/testing/index.ts'

const open: TestCluster<TypedMachines>[] = []

/** A cluster that is closed after the test. */
function cluster<const Machines extends TypedMachines>(...given: Parameters<typeof testCluster<Machines>>) {
  const made = testCluster(...given)
  open.push(made as unknown as TestCluster<TypedMachines>)
  return made
}

afterEach(async () => {
  for (const made of open.splice(0)) await made.close()
})

/** Rings every bell that was set, at its time, and tells who set it. */
const alarm = defineMachine(
  'alarm',
  {
    version: 1,
    state: { rung: table(z.string(), z.number()) },
    requests: { rang: z.object({ name: z.string() }) },
    timers: { ring: z.object({ name: z.string(), session: z.string() }) },
  },
  {
    commands: {
      set: command({ input: z.object({ name: z.string(), inMs: z.number() }), output: z.null() }, (ctx, input) => {
        const { name, inMs } = input
        ctx.schedule('ring', ctx.now + inMs, { name, session: ctx.session?.id ?? '' }, name)
        return null
      }),
    },
    queries: {
      rung: query({ input: z.string(), output: z.number().nullable() }, (view, name) => view.rung.get(name) ?? null),
    },
    timers: {
      ring: (ctx, { name, session }) => {
        ctx.state.rung.set(name, ctx.now)
        ctx.emit(session as never, 'rang', { name })
      },
    },
  },
)

describe('a test cluster', () => {
  test('answers by the product’s own client, and no time passes but what an answer takes', async () => {
    const world = cluster([counter, register])
    const alice = await world.session('user:alice')
    alice.on('*', () => undefined)
    const before = world.now
    expect(await alice.machines.counter.increment({ name: 'visits', by: 2 })).toMatchObject({ kind: 'ok', value: 2 })
    expect(await alice.queries.counter.value('visits')).toMatchObject({ kind: 'ok', value: 2 })
    expect(world.now - before).toBeLessThan(100)
    const stood = world.now
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(world.now).toBe(stood)
  })

  test('advances to the microsecond, and fires durable timers on the way', async () => {
    const world = cluster([alarm])
    const alice = await world.session('user:alice')
    const rung: number[] = []
    alice.on('alarm.rang', () => {
      rung.push(world.now)
    })
    await alice.machines.alarm.set({ name: 'tea', inMs: 5_000 })
    const start = world.now
    await world.advance('4s')
    expect(world.now).toBe(start + 4_000)
    expect(await alice.queries.alarm.rung('tea')).toMatchObject({ value: null })
    expect(rung).toEqual([])
    await world.advance('2s')
    expect(await alice.queries.alarm.rung('tea')).toMatchObject({ value: expect.any(Number) })
    expect(rung).toHaveLength(1)
    expect(rung[0]).toBeGreaterThan(start + 4_990)
    expect(rung[0]).toBeLessThan(start + 5_200)
  })

  test('a server request that is waited for runs the world until it comes, and only then', async () => {
    const world = cluster([counter])
    const alice = await world.session('user:alice')
    await alice.machines.counter.increment({ name: 'visits' })
    const requests = alice.serverRequests()
    const first = await requests.next()
    expect(first.value).toMatchObject({ type: 'counter.changed' })
    const second = requests.next()
    await world.advance(1_000)
    const stood = world.now
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(world.now).toBe(stood)
    await alice.machines.counter.increment({ name: 'visits' })
    expect((await second).value).toMatchObject({ payload: { value: 2 } })
    await requests.return(undefined)
  })

  test('a command survives the death of the leader under way', async () => {
    const world = cluster([counter], { nodes: 3 })
    const alice = await world.session('user:alice')
    alice.on('*', () => undefined)
    await alice.machines.counter.increment({ name: 'visits' })
    const under = alice.machines.counter.increment({ name: 'visits' })
    const killed = world.killLeader()
    expect(await under).toMatchObject({ kind: 'ok', value: 2 })
    expect(world.leader).not.toBe(killed)
    await world.restart(killed)
    await world.until(() =>
      world.nodes.every((node) => node.status()?.appliedIndex === world.nodes[0]?.status()?.appliedIndex),
    )
    expect(new Set(world.nodes.map((node) => node.status()?.stateHash)).size).toBe(1)
  })

  test('what was acknowledged is there after a restart of all, from a snapshot and without', async () => {
    const world = cluster([counter], { nodes: 3 })
    const alice = await world.session('user:alice')
    alice.on('*', () => undefined)
    await alice.machines.counter.increment({ name: 'visits', by: 3 })
    await world.snapshotNow()
    expect(world.nodes.map((node) => Number(node.status()?.snapshotIndex) > 0)).toEqual([true, true, true])
    await alice.machines.counter.increment({ name: 'visits', by: 4 })
    await world.restart()
    expect(await alice.queries.counter.value('visits')).toMatchObject({ value: 7 })
  })

  test('a leader that is cut off gives way, and its cut ends', async () => {
    const world = cluster([counter], { nodes: 3 })
    const alice = await world.session('user:alice')
    alice.on('*', () => undefined)
    const old = world.leader ?? ''
    world.partition([[old]])
    expect(await alice.machines.counter.increment({ name: 'visits' })).toMatchObject({ kind: 'ok', value: 1 })
    expect(world.leader).not.toBe(old)
    world.heal()
    await world.until(() =>
      world.nodes.every((node) => Number(node.status()?.term) === Number(world.nodes[0]?.status()?.term)),
    )
  })

  test('a session expires while nobody keeps it alive', async () => {
    const world = cluster([counter], { nodes: 3 })
    const lost: string[] = []
    const alice = await world.session('user:alice', { timeoutMs: 5_000, onSessionLost: (reason) => lost.push(reason) })
    await world.advance('10s')
    expect(lost).toEqual([])
    const token = alice.detach()
    await world.advance('10s')
    await expect(world.session('user:alice', { resume: token ?? undefined } as never)).rejects.toMatchObject({
      code: 'SESSION_EXPIRED',
    })
  })

  test('equal seeds give equal runs', async () => {
    const run = async (seed: number): Promise<string> => {
      const world = cluster([counter], { nodes: 3, seed })
      const alice = await world.session('user:alice')
      alice.on('*', () => undefined)
      alice.on('*', () => undefined)
      for (let by = 1; by <= 5; by += 1) await alice.machines.counter.increment({ name: 'visits', by })
      world.killLeader()
      await alice.machines.counter.increment({ name: 'visits', by: 6 })
      return `${world.now} ${world.leader}`
    }
    const first = await run(7)
    expect(await run(7)).toBe(first)
    expect(await run(8)).not.toBe(first)
  })

  test('replicas that differ break the run, with the seed that repeats it', async () => {
    let outside = 0
    const leaky = defineMachine(
      'leaky',
      { version: 1, state: { rows: table(z.string(), z.number()) } },
      {
        commands: {
          bump: command({ input: z.object({}), output: z.number() }, (ctx) => {
            outside += 1
            ctx.state.rows.set('n', outside)
            return outside
          }),
        },
      },
    )
    const world = testCluster([leaky], { nodes: 3, seed: 5, guard: false })
    const alice = await world.session('user:alice')
    const act = async (): Promise<void> => {
      for (let round = 0; round < 3; round += 1) await alice.machines.leaky.bump({})
      await world.advance('1s')
    }
    await expect(act()).rejects.toThrow(/differ after entry \d+: a machine is not deterministic.*seed: 5/s)
  })

  test('what a machine throws is an outcome for its client, and seen by the test', async () => {
    const broken = defineMachine(
      'broken',
      { version: 1, state: {} },
      {
        commands: {
          run: command({ input: z.object({}), output: z.null() }, () => {
            throw new RangeError('out of range')
          }),
        },
      },
    )
    const world = cluster([broken])
    const alice = await world.session('user:alice')
    expect(await alice.machines.broken.run({})).toMatchObject({ kind: 'rejected', code: 'MACHINE_ERROR' })
    expect(world.failures).toMatchObject([
      { node: 'n1', part: { machine: 'broken', name: 'run' }, reason: 'EXCEPTION' },
    ])
    expect(world.failures[0]?.error).toBeInstanceOf(RangeError)
  })

  test('a condition that throws is the test’s own failure, and the cluster goes on', async () => {
    const world = cluster([counter])
    const alice = await world.session('user:alice')
    let looks = 0
    const condition = (): boolean => {
      looks += 1
      if (looks > 1) throw new Error('what the test expected')
      return false
    }
    await expect(world.until(condition)).rejects.toThrow('what the test expected')
    expect(await alice.machines.counter.increment({ name: 'a' })).toMatchObject({ kind: 'ok', value: 1 })
  })

  test('what a handler keeps outside its tables is found by its rehearsal', async () => {
    let outside = 0
    const leaky = defineMachine(
      'leaky',
      { version: 1, state: {} },
      {
        commands: {
          run: command({ input: z.object({}), output: z.int() }, () => {
            outside += 1
            return outside
          }),
        },
      },
    )
    const world = cluster([leaky])
    const alice = await world.session('user:alice')
    expect(await alice.machines.leaky.run({})).toMatchObject({
      kind: 'rejected',
      details: { reason: 'NONDETERMINISTIC' },
    })
  })

  test('bad options and unknown nodes are refused with what would do', () => {
    expect(() => testCluster([counter], { nodes: 2 })).toThrow(/odd number from 1 to 7/)
    expect(() => cluster([counter]).partition([['n9']])).toThrow(/no node n9: this cluster has n1/)
    expect(() => cluster([counter]).advance('5 s' as never)).toThrow(/no duration/)
  })
})
