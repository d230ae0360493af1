import { counter, register } from 'holdfast/machines'
import { defineWorkload, runWorkloadSeed, type WorkloadClient } from 'holdfast/testing'
import { command, defineMachine, table } from 'holdfast'
import { z } from 'zod'
import { describe, expect, test } from 'vitest'
import example from '../../../examples/inventory/workload.ts'
import { sample } from '../../effort.ts'

const TIMEOUT_MS = sample(120_000)

/** One client that adds to a counter, some of it while faults strike. */
async function add(client: WorkloadClient<readonly [typeof counter]>, times: number): Promise<void> {
  const session = await client.session()
  for (let turn = 0; turn < times; turn += 1) {
    await client.record({ name: 'increment' }, () => session.machines.counter.increment({ name: 'x', by: 1 }))
    await client.sleep(client.random.between(1, 200))
  }
}

describe('a workload', { timeout: TIMEOUT_MS }, () => {
  test('of the examples holds under faults, and equal seeds give equal results', async () => {
    const seen = { operations: 0, elections: 0 }
    for (let seed = 1; seed <= sample(3); seed += 1) {
      const result = await runWorkloadSeed(example, seed)
      expect(result.failure, `seed ${seed}`).toBeNull()
      seen.operations += result.workload.operations
      seen.elections += result.elections
    }
    expect(seen.operations).toBeGreaterThan(sample(3))
    expect(seen.elections).toBeGreaterThanOrEqual(sample(3))
    expect(await runWorkloadSeed(example, 2)).toEqual(await runWorkloadSeed(example, 2))
  })

  test('counts what clients recorded, and tells the history', async () => {
    const workload = defineWorkload({ machines: [counter], clients: 2, client: (client) => add(client, 5) })
    const lines: string[] = []
    let events = 0
    const result = await runWorkloadSeed(workload, 4, {
      trace: (line) => lines.push(line),
      history: (all) => {
        events = all.length
      },
    })
    expect(result).toMatchObject({ failure: null, acks: 10, workload: { operations: 10, unknown: 0 } })
    expect(events).toBe(20)
    expect(lines.length).toBeGreaterThan(10)
  })

  const failing = async (options: Partial<Parameters<typeof defineWorkload<readonly [typeof counter]>>[0]>) => {
    const workload = defineWorkload({
      machines: [counter] as const,
      clients: 1,
      client: (client) => add(client, 3),
      ...options,
    })
    return (await runWorkloadSeed(workload, 1)).failure
  }

  test('fails at the first entry after which an invariant is false, or throws', async () => {
    const value =
      (limit: number) =>
      ({ counter: { counters } }: { counter: { counters: { get(name: string): unknown } } }) =>
        Number(counters.get('x') ?? 0) < limit
    expect(await failing({ invariants: { 'it stays small': value(4) } })).toBeNull()
    expect(await failing({ invariants: { 'it stays small': value(2) } })).toMatch(
      /^Violation: it stays small: \{"node":"n\d","index":\d+,"why":"it is false"\}$/,
    )
    const thrown = await failing({
      invariants: {
        'nobody throws': () => {
          throw new Error('no')
        },
      },
    })
    expect(thrown).toMatch(/nobody throws: .*"why":"Error: no"/)
  })

  test('fails where a check at the end is false, not ok, or not known', async () => {
    expect(await failing({ checks: { fine: () => true, silent: () => undefined } })).toBeNull()
    expect(await failing({ checks: { wrong: () => false } })).toBe('Violation: wrong: {"why":"it is false"}')
    const anomalies = [{ name: 'lost', text: 'gone', operations: [] }]
    expect(await failing({ checks: { wrong: () => ({ kind: 'violated', anomalies }) } })).toContain('"lost: gone"')
    expect(await failing({ checks: { open: () => ({ kind: 'unknown', why: 'too long' }) } })).toContain('too long')
  })

  test('fails where an invariant or a check is async: nobody waits for what it promises', async () => {
    const later = (async () => {
      throw new Error('unheard')
    }) as unknown as () => boolean
    const thenable = (() => Object.fromEntries([['then', () => undefined]])) as unknown as () => boolean
    for (const wrong of [later, thenable]) {
      expect(await failing({ invariants: { wrong } })).toMatch(/^Violation: wrong: .*"why":"it must not be async/)
      expect(await failing({ checks: { wrong } })).toMatch(/^Violation: wrong: .*"why":"it must not be async/)
    }
  })

  test('fails where a client goes on for ever at one moment, in its code or by sleeps of no length', async () => {
    const still = /^Violation: a client lets time pass: \{"seconds":[\d.]+,"looks":100000\}$/
    const over = async (client: WorkloadClient<readonly [typeof counter]>) => {
      const session = await client.session()
      await session.close()
      return session
    }
    const loops: readonly ((client: WorkloadClient<readonly [typeof counter]>) => Promise<void>)[] = [
      async (client) => {
        const session = await over(client)
        while (client.faulty) await session.machines.counter.increment({ name: 'x', by: 1 })
      },
      async (client) => {
        const session = await over(client)
        for (;;) await session.machines.counter.increment({ name: 'x', by: 1 })
      },
      async (client) => {
        while (client.faulty) await client.sleep(0)
      },
    ]
    for (const client of loops) expect(await failing({ client })).toMatch(still)
    expect(await failing({ client: async (client) => void (await over(client)) })).toBeNull()
  })

  test('fails where a client throws, or does not end', async () => {
    const thrown = await failing({ client: () => Promise.reject(new Error('mistake')) })
    expect(thrown).toBe('Violation: a client ends without an error: {"client":0,"error":"Error: mistake"}')
    expect(await failing({ client: () => new Promise(() => undefined) })).toBe(
      'Violation: every client ends after healing: {"busy":1}',
    )
  })

  test('fails where a machine throws', async () => {
    const broken = defineMachine(
      'broken',
      { version: 1, state: { rows: table(z.string(), z.int()) } },
      {
        commands: {
          use: command({ input: z.null(), output: z.null() }, () => {
            throw new Error('oh')
          }),
        },
      },
    )
    const workload = defineWorkload({
      machines: [broken],
      clients: 1,
      client: async (client) => void (await (await client.session()).machines.broken.use(null)),
    })
    expect((await runWorkloadSeed(workload, 1)).failure).toMatch(/^Violation: no machine throws/)
  })

  test('has its clients finish when all are done and the faults are over', async () => {
    const order: string[] = []
    const workload = defineWorkload({
      machines: [register],
      clients: 2,
      client: async ({ number, faulty }) => void order.push(`client ${number} ${faulty}`),
      finish: async ({ number, faulty }) => void order.push(`finish ${number} ${faulty}`),
    })
    expect((await runWorkloadSeed(workload, 1)).failure).toBeNull()
    expect(order).toEqual(['client 0 true', 'client 1 true', 'finish 0 false', 'finish 1 false'])
  })

  test('is refused where it cannot be', () => {
    const client = async (): Promise<void> => undefined
    expect(() => defineWorkload({ machines: [] as never, client })).toThrow(TypeError)
    for (const clients of [0, 1.5, [3, 2] as const]) {
      expect(() => defineWorkload({ machines: [counter], clients, client })).toThrow(/^clients is /)
    }
  })
})
