import { command, defineMachine, query, table } from 'holdfast'
import { embeddedNode } from 'holdfast/testing'
import { z } from 'zod'

const orders = defineMachine(
  'orders',
  { version: 1, state: { orders: table(z.string(), z.int()) } },
  {
    commands: {
      place: command(
        { input: z.object({ id: z.string(), amount: z.int() }), output: z.int() },
        (ctx, { id, amount }) => {
          ctx.state.orders.set(id, amount)
          return amount
        },
      ),
    },
    queries: { amount: query({ input: z.string(), output: z.int() }, (view, id) => view.orders.get(id) ?? 0) },
  },
)

const node = await embeddedNode({ machines: [orders] })

// One process: it saves the token once, and the id of each command before it depends on the outcome.
const first = await node.session('user:ada')
const saved = JSON.stringify(first.token)
const placed = first.machines.orders.place({ id: 'o-1', amount: 70 })
const requestId = first.lastRequestId
// A query that is asked while the command is under way, and sees what it did.
console.log(await first.queries.orders.amount('o-1', { after: requestId }))
await placed
first.detach()

// Another process, or the same one after a crash: it takes the session up and asks what became of the command.
const second = await node.session('user:ada', { resume: JSON.parse(saved) })
console.log(await second.resolve(requestId))
console.log(await second.resolve(requestId + 1))
await second.close()
await node.close()
