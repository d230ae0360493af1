import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { command, defineMachine, query, table, task } from '../../../src/machine/index.ts'
import { counter, register } from '../../../src/machines/index.ts'
import { checkMachine } from '../../../src/testing/index.ts'

const named = z.object({ name: z.string() })

/** A machine of one command over one table of texts, for one planted fault. */
function planted(
  handler: (
    rows: { get(key: string): string | undefined; set(key: string, row: string): void },
    name: string,
  ) => string,
) {
  return defineMachine(
    'planted',
    { version: 1, state: { rows: table(z.string(), z.string()) } },
    {
      commands: {
        run: command({ input: named, output: z.string() }, (ctx, { name }) => handler(ctx.state.rows, name)),
        forget: command({ input: named, output: z.boolean() }, (ctx, { name }) => ctx.state.rows.delete(name)),
      },
    },
  )
}

/** What the check rejects with. */
async function found(check: Promise<unknown>): Promise<string> {
  return check.then(
    () => 'nothing',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )
}

const steps = (message: string): string => /(\d+) steps do it/.exec(message)?.[1] ?? message

describe('checkMachine finds', () => {
  test('state outside the tables', async () => {
    let calls = 0
    const message = await found(
      checkMachine(
        planted((rows, name) => {
          calls += 1
          rows.set(name, String(calls))
          return name
        }),
      ),
    )
    expect(message).toMatch(/keeps something outside its tables/)
    expect(steps(message)).toBe('1')
  })

  test('a clock of the process', async () => {
    const message = await found(checkMachine(planted(() => String(Date.now()))))
    expect(message).toMatch(/Date\.now\(\).*ctx\.now/s)
    expect(steps(message)).toBe('1')
  })

  test('the order of a Map that is kept outside', async () => {
    const seen = new Map<string, number>()
    const message = await found(
      checkMachine(
        planted((rows, name) => {
          seen.set(name, seen.size)
          const order = [...seen.keys()].join()
          rows.set(name, order)
          return order
        }),
      ),
    )
    expect(message).toMatch(/outside its tables/)
    expect(steps(message)).toBe('1')
  })

  test('a change of the input', async () => {
    const message = await found(
      checkMachine(
        defineMachine(
          'planted',
          { version: 1, state: {} },
          {
            commands: {
              run: command({ input: z.object({ names: z.array(z.string()) }), output: z.number() }, (_ctx, { names }) =>
                (names as string[]).push('one more'),
              ),
            },
          },
        ),
      ),
    )
    expect(message).toMatch(/changed its input|not extensible|read only/)
    expect(steps(message)).toBe('1')
  })

  test('a throw at the second delivery of a server request', async () => {
    const offers = defineMachine(
      'offers',
      {
        version: 1,
        state: {
          open: table(z.string(), z.object({ name: z.string() })),
          taken: table(z.string(), z.object({ name: z.string() })),
        },
        requests: { made: named },
      },
      {
        commands: {
          make: command({ input: named, output: z.null() }, (ctx, { name }) => {
            if (ctx.state.open.has(name) || ctx.state.taken.has(name)) return null
            ctx.state.open.set(name, { name })
            ctx.emit(ctx.session.id, 'made', { name })
            return null
          }),
          accept: command({ input: z.object({ name: z.string().min(50) }), output: z.boolean() }, (ctx, { name }) => {
            const short = name.trimEnd()
            if (ctx.state.taken.has(short)) throw new Error(`no offer ${short}`)
            if (!ctx.state.open.delete(short)) return false
            ctx.state.taken.set(short, { name: short })
            return true
          }),
        },
      },
    )
    const react = (request: { type: string; payload: unknown }) => ({
      command: 'accept',
      input: { name: (request.payload as { name: string }).name.padEnd(50) },
    })
    const message = await found(checkMachine(offers, { react }))
    expect(message).toMatch(/no offer/)
    expect(message).toMatch(/command: 'make'/)
  })

  test('the locale and the time zone of the process, without the guard', async () => {
    const upper = planted((_rows, name) => name.toLocaleUpperCase())
    expect(await found(checkMachine(upper, { guard: false }))).toMatch(/another time zone and locale answers/)
    const hour = planted((_rows, name) => String(new Date(name.length * 3_600_000).getHours()))
    expect(await found(checkMachine(hour, { guard: false }))).toMatch(/another time zone and locale answers/)
  })

  test('a throw in a timer, a hook or the handler of a dead letter', async () => {
    const machine = (part: 'timer' | 'expiry' | 'deadLetter') =>
      defineMachine(
        'planted',
        {
          version: 1,
          state: {},
          requests: { said: named },
          timers: { late: named },
        },
        {
          commands: {
            run: command({ input: named, output: z.null() }, (ctx, { name }) => {
              if (part === 'timer') ctx.schedule('late', ctx.now + 5_000, { name })
              ctx.emit(ctx.session.id, 'said', { name })
              return null
            }),
          },
          timers: {
            late: () => {
              throw new Error('timer')
            },
          },
          onSessionExpired: () => {
            if (part === 'expiry') throw new Error('expiry')
          },
          onDeadLetter: () => {
            if (part === 'deadLetter') throw new Error('deadLetter')
          },
        },
      )
    for (const part of ['timer', 'expiry', 'deadLetter'] as const) {
      expect(await found(checkMachine(machine(part), { stepsMax: 12 }))).toContain(part)
    }
  })

  test('an invariant that does not hold, by the shortest list, which the pasted test runs again', async () => {
    const stock = defineMachine(
      'stock',
      { version: 1, state: { items: table(z.string(), z.number()) } },
      {
        commands: {
          put: command(
            { input: z.object({ item: z.string(), count: z.int().min(1) }), output: z.number() },
            (ctx, input) => {
              const next = (ctx.state.items.get(input.item) ?? 0) + input.count
              ctx.state.items.set(input.item, next)
              return next
            },
          ),
          take: command({ input: z.object({ item: z.string() }), output: z.number() }, (ctx, { item }) => {
            const next = (ctx.state.items.get(item) ?? 0) - 1
            ctx.state.items.set(item, next)
            return next
          }),
        },
      },
    )
    const invariants = {
      'nothing is below zero': (tables: {
        items: { range(bounds: { limit: number }): readonly (readonly [string, number])[] }
      }) => tables.items.range({ limit: 100 }).every(([, count]) => count >= 0),
    }
    const message = await found(checkMachine(stock, { invariants }))
    expect(message).toMatch(/invariant "nothing is below zero" does not hold after entry \d+ \(ClientRequest\)/)
    expect(message).toContain(
      `await checkMachine(stock, {\n    replay: [\n      { do: 'command', by: 'user:1', command: 'take', input: { item: 'a' } },\n    ],`,
    )
    const replay = [{ do: 'command', by: 'user:1', command: 'take', input: { item: 'a' } }] as const
    expect(await found(checkMachine(stock, { invariants, replay }))).toMatch(/nothing is below zero/)
  })

  test('a command that no generated input fits', async () => {
    const picky = defineMachine(
      'picky',
      { version: 1, state: {} },
      {
        commands: {
          run: command({ input: z.string().refine((text) => text === 'open sesame'), output: z.null() }, () => null),
        },
      },
    )
    expect(await found(checkMachine(picky, { runs: 5 }))).toMatch(
      /no input was generated that picky\.run takes: give some by \{ inputs/,
    )
    expect(await checkMachine(picky, { runs: 5, inputs: { run: ['open sesame'] } })).toMatchObject({ runs: 5 })
  })
})

describe('checkMachine passes', () => {
  test('machines that are right, and tells what it ran', async () => {
    const report = await checkMachine(counter, { runs: 10 })
    expect(report.commands['increment']).toBeGreaterThan(5)
    expect(Object.keys((await checkMachine(register, { runs: 10 })).commands).sort()).toEqual(['cas', 'read', 'write'])
  })

  test('a fault behind a door that no drawn command opens, with a way to it, of which the shortest part is printed', async () => {
    const keys = ['k-17', 'k-4', 'k-99']
    const safe = defineMachine(
      'safe',
      { version: 1, state: { open: table(z.string(), z.int()) }, errors: { WRONG_KEY: z.object({}) } },
      {
        commands: {
          turn: command({ input: z.string(), output: z.int() }, (ctx, key) => {
            const doors = ctx.state.open.get('doors') ?? 0
            if (key !== keys[doors]) return ctx.reject('WRONG_KEY', {})
            ctx.state.open.set('doors', doors + 1)
            return doors + 1
          }),
        },
      },
    )
    type Rows = { readonly open: { get(key: string): number | undefined } }
    const openAtMost = (most: number) => ({
      invariants: { 'doors are shut': ({ open }: Rows) => (open.get('doors') ?? 0) <= most },
    })
    const way = keys.map((input) => ({ do: 'command', by: 'user:1', command: 'turn', input }) as const)
    const blind = await checkMachine(safe, { runs: 10, ...openAtMost(0) })
    expect(blind.outcomes).toEqual({ turn: { WRONG_KEY: blind.commands['turn'] } })
    const message = await found(checkMachine(safe, { runs: 10, begin: [way], ...openAtMost(1) }))
    expect(steps(message)).toBe('2')
    const { outcomes, entries, commands } = await checkMachine(safe, { runs: 10, begin: [way], ...openAtMost(3) })
    expect(outcomes['turn']?.['ok']).toBeGreaterThan(5)
    // Each command came twice.
    expect(entries).toBeGreaterThan(2 * (commands['turn'] ?? 0))
  })

  test('a machine with every kind of schema, tasks and queries', async () => {
    const input = z.object({
      id: z.uuid(),
      count: z.int().min(1).max(9),
      ratio: z.number().min(0).max(1),
      kind: z.enum(['a', 'b']),
      note: z.string().max(5).optional(),
      parts: z.array(z.tuple([z.string(), z.boolean()])).max(3),
      names: z.record(z.string(), z.number()),
      either: z.union([z.literal(7), z.object({ deep: z.string().nullable() })]),
      level: z.int().multipleOf(5).default(5),
      mail: z.email(),
      at: z.iso.datetime(),
    })
    const every = defineMachine(
      'every',
      {
        version: 1,
        state: { done: table(z.string(), z.string()) },
        tasks: {
          work: task({
            role: 'worker',
            leaseMs: 60_000,
            maxAttempts: 2,
            backoffMs: [],
            payload: z.object({ id: z.string() }),
            result: z.object({ mark: z.string().min(1) }),
          }),
        },
      },
      {
        commands: {
          run: command({ input, output: z.string() }, (ctx, { id }) => ctx.task('work', id, { id })),
        },
        queries: { done: query({ input: z.string(), output: z.string() }, (view, id) => view.done.get(id) ?? '') },
        tasks: {
          work: {
            onResult: (ctx, { payload }, { mark }) => ctx.state.done.set(payload.id, mark),
            onFailed: (ctx, { payload }, reason) => ctx.state.done.set(payload.id, reason),
          },
        },
      },
    )
    let done = 0
    const invariants = {
      'what is done has a mark': (tables: {
        done: { range(bounds: { limit: number }): readonly (readonly [string, string])[] }
      }) => {
        for (const [, mark] of tables.done.range({ limit: 100 })) {
          done += 1
          if (mark === '') return false
        }
        return true
      },
    }
    await checkMachine(every, { runs: 15, invariants })
    expect(done).toBeGreaterThan(10)
  })
})

describe('checkMachine tells', () => {
  const errands = defineMachine(
    'errands',
    {
      version: 1,
      state: { open: table(z.string(), z.string()) },
      timers: { late: z.null() },
      tasks: {
        run: task({
          role: 'runner',
          leaseMs: 60_000,
          maxAttempts: 1,
          backoffMs: [],
          payload: named,
          result: z.object({ brought: z.string().regex(/^tea$/) }),
        }),
      },
    },
    {
      commands: {
        ask: command({ input: z.null(), output: z.null() }, (ctx) => {
          const name = String(ctx.index)
          ctx.state.open.set(name, ctx.task('run', name, { name }))
          ctx.schedule('late', ctx.now + 1_000, null, name)
          return null
        }),
      },
      timers: { late: () => undefined },
      tasks: {
        run: {
          onResult: (ctx, { ref }, { brought }) => {
            ctx.state.open.delete(ref)
            ctx.notify('user:1', brought, null)
          },
          onFailed: (ctx, { ref }) => ctx.state.open.delete(ref),
        },
      },
    },
  )
  const inputs = { run: [{ brought: 'tea' }] }

  test('an invariant which timers and tasks of all machines wait after an entry', async () => {
    let late = 0
    await checkMachine(errands, {
      runs: 10,
      inputs,
      invariants: {
        'what is open has its task': ({ open }, _read, { tasks, timers }) => {
          late += timers.filter(({ machine, kind }) => machine === 'errands' && kind === 'late').length
          const known = open.range({ limit: 1_000 }).map(([, taskId]) => taskId)
          return JSON.stringify(known.sort()) === JSON.stringify(tasks.map(({ taskId }) => taskId).sort())
        },
      },
    })
    expect(late).toBeGreaterThan(0)
    const message = await found(
      checkMachine(errands, { invariants: { 'nobody waits': (_tables, _read, { tasks }) => tasks.length === 0 } }),
    )
    expect(message).toMatch(/"nobody waits" does not hold/)
    expect(steps(message)).toBe('1')
  })

  test('who is told what, of a result that was given by the kind of its task; a throw there fails the check', async () => {
    const react = (request: { readonly payload: unknown }, principal: string): null => {
      const { topic } = request.payload as { readonly topic?: string }
      if (topic !== undefined) throw new Error(`${principal} hears of ${topic}`)
      return null
    }
    expect(await found(checkMachine(errands, { inputs, react }))).toMatch(/user:1 was told .*user:1 hears of tea/)
  })
})
