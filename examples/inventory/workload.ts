import { checkDurability, defineWorkload } from 'holdfast/testing'
import { inventory } from './inventory.ts'

const ITEMS = ['tea', 'coffee']
/** Pieces of each item, which come in at the beginning. */
const PIECES = 20

/** Buyers who reserve, confirm, release and forget, while nodes crash. */
export default defineWorkload({
  machines: [inventory],
  clients: [2, 4],

  async client(client) {
    const { random, number } = client
    const session = await client.session()
    const { receive, reserve, confirm, release } = session.machines.inventory
    if (number === 0) for (const item of ITEMS) await receive({ item, quantity: PIECES })
    for (let turn = 1; turn <= 10; turn += 1) {
      const reservation = `r-${number}-${turn}`
      const held = await reserve({ reservation, item: random.pick(ITEMS), quantity: random.between(1, 4) })
      await client.sleep(random.between(1, 500))
      if (held.kind !== 'ok') continue
      const then = random.pick(['confirm', 'release', 'forget'])
      if (then === 'confirm') await client.record({ name: 'confirm', input: reservation }, () => confirm(reservation))
      if (then === 'release') await release(reservation)
    }
    await session.close()
  },

  // After every entry of the log, on the first replica that has applied it.
  invariants: {
    'no piece is made or gone': ({ inventory: { items } }) =>
      items.range({ limit: 100 }).every(([, { free, held, sold }]) => free + held + sold === PIECES),
    'what is held is somebody’s': ({ inventory: { items, reservations } }) => {
      const rows = reservations.range({ limit: 1_000 }).map(([, row]) => row)
      return items.range({ limit: 100 }).every(([item, { held }]) => {
        const own = rows.filter((row) => row.item === item && row.status === 'held')
        return own.reduce((sum, { quantity }) => sum + quantity, 0) === held
      })
    },
  },

  // At the end, of what the clients recorded.
  checks: {
    'what was confirmed is sold, and nothing else': ({ operations, tables }) => {
      const told = operations.map(({ input, outcome }) => ({ request: String(input), outcome }))
      const rows = tables.inventory.reservations.range({ limit: 1_000 })
      return checkDurability(
        told,
        new Map(rows.flatMap(([name, { status }]) => (status === 'sold' ? [[name, 1]] : []))),
      )
    },
  },

  // Per seed, on average: a run in which less happened shows nothing.
  minimum: { operations: 3, duringFaults: 1 },
})
