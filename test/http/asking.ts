import { type Agent, type IncomingHttpHeaders, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** One answer of an HTTP server. */
export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: { readonly [member: string]: unknown }
}

export interface Asked {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string | Buffer
  readonly agent?: Agent
}

const JSON_TYPE = { 'content-type': 'application/json' }

/** Sends one request and reads its answer. Rejects when the connection ends without one. */
export async function ask(address: string, path: string, asked: Asked = {}): Promise<Answered> {
  const { method = 'POST', headers = JSON_TYPE, body = '', agent } = asked
  const sent = request(`http://${address}${path}`, { method, headers, ...(agent === undefined ? {} : { agent }) })
  // A server that answers early may leave the rest of a body unread.
  sent.end(body)
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, body: text === '' ? {} : JSON.parse(text) }
}

/** Posts JSON. */
export function post(address: string, path: string, value: unknown, asked: Asked = {}): Promise<Answered> {
  return ask(address, path, { ...asked, body: typeof value === 'string' ? value : JSON.stringify(value) })
}

/** A bare connection; everything that arrives on it is in `text` once `ended` resolves. */
export function rawSocket(address: string): {
  readonly socket: Socket
  ended: Promise<string>
  heard(text: string): Promise<void>
} {
  const [host = '', port = ''] = address.split(/:(?=\d+$)/)
  const socket = connect({ host, port: Number(port) })
  onTestFinished(() => void socket.destroy())
  let text = ''
  let wake = (): void => undefined
  socket.on('data', (chunk) => {
    text += String(chunk)
    wake()
  })
  socket.on('error', () => undefined)
  const ended = once(socket, 'close').then(() => text)
  const heard = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  return { socket, ended, heard }
}

/** Safaricom's callback of a payment that succeeded. */
export function successOf(checkout: string, amount: number, receipt: string): object {
  return {
    Body: {
      stkCallback: {
        MerchantRequestID: `m-${checkout}`,
        CheckoutRequestID: checkout,
        ResultCode: 0,
        ResultDesc: 'The service request is processed successfully.',
        CallbackMetadata: {
          Item: [
            { Name: 'Amount', Value: amount },
            { Name: 'MpesaReceiptNumber', Value: receipt },
            { Name: 'TransactionDate', Value: 20260101120000 },
            { Name: 'PhoneNumber', Value: 254712345678 },
          ],
        },
      },
    },
  }
}
