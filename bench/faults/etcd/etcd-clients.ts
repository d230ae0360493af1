import { createWriteStream } from 'node:fs'
import { Random } from '../../../src/base/random.ts'
import type { ClientsOptions, ClientsOrder, ClientsReport } from '../clients/clients.ts'
import type { HistoryEvent } from '../history.ts'
import { EtcdApi } from './etcd-api.ts'
import { EtcdLane } from './etcd-lane.ts'

const HALVES = 2
/** As many as write registers of Holdfast in all its workloads. */
const LANES = 10

/** One half of the clients of etcd, told and heard as those of Holdfast: `etcd-clients.js OPTIONS`. */
async function main([text]: readonly string[]): Promise<void> {
  const { endpoints, seed, half, history, began } = JSON.parse(text ?? '') as ClientsOptions
  const from = BigInt(began)
  let unhandledRejections = 0
  process.on('unhandledRejection', () => {
    unhandledRejections += 1
  })
  const nowNs = (): number => Number(process.hrtime.bigint() - from)
  const file = createWriteStream(history)
  const note = (event: HistoryEvent): void => void file.write(`${JSON.stringify(event)}\n`)
  const processes = HALVES * (LANES + endpoints.length)
  const all = Array.from({ length: LANES + endpoints.length }, (_, at) => {
    const lane = half * (LANES + endpoints.length) + at
    const kind = at < LANES ? 'lane' : 'reader'
    const told = { process: lane, processes, endpoints, member: at % endpoints.length, kind } as const
    return new EtcdLane({ ...told, api: new EtcdApi(), random: new Random(seed, lane), note, nowNs })
  })
  const report = (said: ClientsReport): void => void process.send?.(said)
  process.on('message', async ({ kind }: ClientsOrder) => {
    if (kind === 'end') process.exit()
    await Promise.all(all.map((lane) => lane.stop()))
    await new Promise((resolve) => file.end(() => resolve(null)))
    report({ kind: 'stopped', journal: null, deliveries: [], payments: null, lostSessions: [], unhandledRejections })
  })
  process.on('disconnect', () => process.exit())
  report({ kind: 'ready' })
}

await main(process.argv.slice(2))
