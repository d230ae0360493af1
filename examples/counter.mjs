import { command, defineMachine, query, table } from 'holdfast'
import { embeddedNode } from 'holdfast/testing'
import { z } from 'zod'

const counter = defineMachine(
  'counter',
  {
    version: 1,
    state: { counters: table(z.string(), z.int()) },
    errors: { TOO_BIG: z.object({ max: z.int() }) },
  },
  {
    commands: {
      increment: command(
        { input: z.object({ name: z.string(), by: z.int() }), output: z.int() },
        (ctx, { name, by }) => {
          const next = (ctx.state.counters.get(name) ?? 0) + by
          if (next > 1000) return ctx.reject('TOO_BIG', { max: 1000 })
          ctx.state.counters.set(name, next)
          return next
        },
      ),
    },
    queries: { value: query({ input: z.string(), output: z.int() }, (view, name) => view.counters.get(name) ?? 0) },
  },
)

const node = await embeddedNode({ machines: [counter] })
const session = await node.session('user:ada')
console.log(await session.machines.counter.increment({ name: 'visits', by: 2 }))
await node.restart()
console.log(await session.machines.counter.increment({ name: 'visits', by: 999 }))
console.log(await session.queries.counter.value('visits'))
await session.close()
await node.close()
