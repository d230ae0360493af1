// Buys two pieces of tea, with the worker in the same process: HOLDFAST_ENDPOINTS names the nodes.
import { connect } from 'holdfast'
import { inventory } from './inventory.ts'

const endpoints = (process.env['HOLDFAST_ENDPOINTS'] ?? '127.0.0.1:4600').split(',')

const packer = await connect({ endpoints, principal: 'svc:packer', roles: ['packer'], machines: [inventory] })
const worker = packer.worker({ pack: async ({ reservation }) => ({ parcel: `parcel of ${reservation}` }) })

const ada = await connect({ endpoints, principal: 'user:ada', machines: [inventory] })
const packed = new Promise<string>((resolve) => ada.on('inventory.packed', ({ payload }) => resolve(payload.parcel)))
ada.on('inventory.expired', ({ payload }) => console.log(`${payload.reservation} has expired`))
ada.on('inventory.unpacked', ({ payload }) => console.log(`${payload.reservation}: ${payload.reason}`))

const { inventory: stock } = ada.machines
await stock.receive({ item: 'tea', quantity: 5 })
const reserved = await stock.reserve({ reservation: 'r-1', item: 'tea', quantity: 2 })
if (reserved.kind === 'ok') {
  await stock.confirm('r-1')
  console.log(await packed)
}
const refused = await stock.reserve({ reservation: 'r-2', item: 'tea', quantity: 9 })
if (refused.kind === 'rejected' && refused.code === 'TOO_FEW') console.log(`${refused.details.free} are left`)
const level = await ada.queries.inventory.level('tea')
if (level.kind === 'ok') console.log(JSON.stringify(level.value))

await ada.close()
await worker.stop()
await packer.close()
