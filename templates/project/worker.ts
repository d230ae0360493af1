// Ships paid orders until Ctrl-C. Run as many as you like: each order goes to one of them, and to another when that one dies.
import { connect } from 'holdfast'
import { orders } from './machines/orders.ts'

const endpoints = (process.env.HOLDFAST_ENDPOINTS ?? '127.0.0.1:4600,127.0.0.1:4601,127.0.0.1:4602').split(',')
const session = await connect({
  endpoints,
  principal: 'svc:shipper',
  roles: ['shipper'],
  machines: [orders],
  onSessionLost: (reason) => {
    console.error(`the session is lost: ${reason}`)
    process.exit(1)
  },
})

const worker = session.worker({
  ship: async ({ id, pieces }, task) => {
    // The world outside goes here. task.taskId is an idempotency key for it, task.signal ends when the lease does.
    console.log(`ships ${pieces} pieces of ${id}, attempt ${task.attempt}`)
    return { parcel: `parcel-${id}` }
  },
})
console.log('waits for orders   Ctrl-C stops')

process.once('SIGINT', async () => {
  await worker.stop()
  await session.close()
})
