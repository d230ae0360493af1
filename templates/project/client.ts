// Places an order, pays it, and waits until it has ended: npm run client -- ORDER PIECES
import { connect } from 'holdfast'
import { orders } from './machines/orders.ts'

const [id = `o-${Date.now()}`, pieces = '2'] = process.argv.slice(2)
const endpoints = (process.env.HOLDFAST_ENDPOINTS ?? '127.0.0.1:4600,127.0.0.1:4601,127.0.0.1:4602').split(',')
const session = await connect({ endpoints, principal: 'user:ada', machines: [orders] })

const ended = new Promise<string>((resolve) => {
  session.on('orders.ended', ({ payload }) => {
    if (payload.id === id) resolve(payload.status)
  })
})

const placed = await session.machines.orders.place({ id, pieces: Number(pieces) })
switch (placed.kind) {
  case 'ok':
    console.log(`${id} costs ${placed.value.cents} cents`)
    await session.machines.orders.pay({ id })
    console.log(`${id} is paid, and waits for a worker (npm run worker)`)
    console.log(`${id} is ${await ended}`)
    break
  case 'rejected':
    // Each code has its own details: the compiler knows which.
    if (placed.code === 'TOO_MANY') console.log(`${pieces} pieces are too many: at most ${placed.details.max}`)
    else console.log(`refused: ${placed.code}`)
    break
  case 'notExecuted':
  case 'unknown':
    console.log(`${placed.kind}: ${placed.code}. npx holdfast explain ${placed.code} says what to do`)
    break
}
const order = await session.queries.orders.order(id)
if (order.kind === 'ok') console.log(JSON.stringify({ id, ...order.value }))
await session.close()
