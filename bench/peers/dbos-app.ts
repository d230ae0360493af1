import { closedLoop, type LoopResult } from '../closed-loop.ts'
import { importFrom } from './packages.ts'

/** What `Dbos` asks of this process, and what it answers. */
export type DbosOrder = { readonly inFlight: number; readonly seconds: number } | { readonly end: true }
export type DbosReport = { readonly ready: true } | LoopResult

/** What of DBOS is used. */
interface DbosSdk {
  readonly DBOS: {
    setConfig(config: object): void
    launch(): Promise<void>
    shutdown(): Promise<void>
    runStep<Output>(step: () => Promise<Output>, options: { name: string }): Promise<Output>
    registerWorkflow<Input, Output>(
      workflow: (input: Input) => Promise<Output>,
      options: { name: string },
    ): (input: Input) => Promise<Output>
    startWorkflow<Input, Output>(
      workflow: (input: Input) => Promise<Output>,
      options: { workflowID: string },
    ): (input: Input) => Promise<{ getResult(): Promise<Output> }>
  }
}

/** The client `postgres`, as far as it is used. */
type Sql = (text: TemplateStringsArray, ...values: readonly (string | number)[]) => Promise<unknown>
type Connect = (options: object) => { begin(work: (sql: Sql) => Promise<void>): Promise<void> }

interface Callback {
  readonly booking: number
  readonly receipt: string
}

const BOOKINGS = 100_000

const [folder = '', host = '', user = '', name = '', pool = ''] = process.argv.slice(2)
const { DBOS } = await importFrom<DbosSdk>(folder, '@dbos-inc/dbos-sdk/dist/src/index.js')
const { default: connect } = await importFrom<{ default: Connect }>(folder, 'postgres/src/index.js')

const database = connect({ host, user, database: name, max: Number(pool) / 2, onnotice: () => undefined })

/**
 * The payment callback as one would write it on DBOS: a workflow whose id is the callback's, so that a repeat is harmless, with
 * one step, a transaction of two updates and a line of the audit trail.
 */
const callback = DBOS.registerWorkflow((input: Callback) => DBOS.runStep(() => confirm(input), { name: 'confirm' }), {
  name: 'callback',
})

async function confirm({ booking, receipt }: Callback): Promise<object> {
  await database.begin(async (sql) => {
    await sql`UPDATE payment SET status = 'confirmed', receipt = ${receipt}, changed = now() WHERE booking = ${booking}`
    await sql`UPDATE appointment SET status = 'paid', changed = now() WHERE booking = ${booking}`
    await sql`INSERT INTO audit (booking, entry) VALUES (${booking}, ${'e'.repeat(160)})`
  })
  return { ResultCode: 0 }
}

DBOS.setConfig({
  name: 'bench',
  systemDatabaseUrl: `postgresql://${user}@localhost/${name}?host=${encodeURIComponent(host)}`,
  systemDatabasePoolSize: Number(pool) / 2,
  logLevel: 'error',
  runAdminServer: false,
})
await DBOS.launch()

let calls = 0

function send(_lane: number, done: (ok: boolean) => void): void {
  calls += 1
  const input = { booking: 1 + (calls % BOOKINGS), receipt: `R${calls}` }
  DBOS.startWorkflow(callback, { workflowID: `ws_CO_${calls}` })(input)
    .then((handle) => handle.getResult())
    .then(
      () => done(true),
      () => done(false),
    )
}

process.on('message', (order: DbosOrder) => void follow(order))
// Whoever started it is gone.
process.on('disconnect', () => process.exit())
say({ ready: true })

async function follow(order: DbosOrder): Promise<void> {
  if ('end' in order) {
    await DBOS.shutdown()
    process.exit()
  }
  const { inFlight, seconds } = order
  say(await closedLoop({ count: inFlight, send }, { warmUpMs: seconds * 250, measureMs: seconds * 1000 }))
}

function say(report: DbosReport): void {
  process.send?.(report)
}
