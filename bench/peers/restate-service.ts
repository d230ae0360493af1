import { importFrom } from './packages.ts'

/** What of Restate's SDK is used. */
interface RestateSdk {
  object(definition: { name: string; handlers: Record<string, Handler> }): object
  serve(options: { services: object[]; port: number }): Promise<number>
}

interface ObjectContext {
  get<Value>(key: string): Promise<Value | null>
  set(key: string, value: unknown): void
}

type Handler = (context: ObjectContext, callback: { readonly receipt: string; readonly at: number }) => Promise<object>

// Its SDK calls what Node has from version 22 on.
if (!('withResolvers' in Promise)) Object.assign(Promise, { withResolvers })

const [folder = '', port = '0'] = process.argv.slice(2)
const sdk = await importFrom<RestateSdk>(folder, '@restatedev/restate-sdk/dist/index.js')

/**
 * The payment callback as one would write it on Restate: a virtual object per booking, whose state is the payment, the
 * appointment and the audit trail; the repeat is harmless by the idempotency key of the call. Values as wide as our rows.
 */
const booking = sdk.object({
  name: 'booking',
  handlers: {
    callback: async (context, { receipt, at }) => {
      const payment = (await context.get<object>('payment')) ?? { amount: 1500, note: 'p'.repeat(100) }
      const appointment = (await context.get<object>('appointment')) ?? { note: 'a'.repeat(100) }
      const audited = (await context.get<number>('audited')) ?? 0
      context.set('payment', { ...payment, status: 'confirmed', receipt, changed: at })
      context.set('appointment', { ...appointment, status: 'paid', changed: at })
      context.set('audited', audited + 1)
      context.set(`audit-${audited + 1}`, { at, entry: 'e'.repeat(160) })
      return { ResultCode: 0 }
    },
  },
})

await sdk.serve({ services: [booking], port: Number(port) })
process.send?.('listening')
// Whoever started it is gone.
process.on('disconnect', () => process.exit())

function withResolvers<Value>(): object {
  let resolve: unknown
  let reject: unknown
  const promise = new Promise<Value>((fulfil, refuse) => {
    resolve = fulfil
    reject = refuse
  })
  return { promise, resolve, reject }
}
