import { Agent, request } from 'node:http'

/** What etcd's JSON gateway answers; numbers of 64 bits come as text. */
export interface EtcdAnswer {
  readonly header?: { readonly member_id?: string; readonly revision?: string }
  readonly leader?: string
  readonly raftTerm?: string
  readonly raftIndex?: string
  readonly raftAppliedIndex?: string
  readonly hash?: number
  readonly compact_revision?: string
  readonly succeeded?: boolean
  readonly kvs?: readonly { readonly value: string }[]
}

/** A call that failed. `sent`: a part of it may have reached the member, so that what it asks for may have been done. */
export class EtcdFailure extends Error {
  override readonly name = 'EtcdFailure'
  readonly sent: boolean

  constructor(message: string, sent: boolean) {
    super(message)
    this.sent = sent
  }
}

/** Calls of etcd's members by JSON: no client library, so that what a call costs and repeats is all here. */
export class EtcdApi {
  private readonly agent = new Agent({ keepAlive: true })

  /** Rejects with EtcdFailure, also when there is no answer within `msMax`. */
  call(endpoint: string, path: string, body: object, msMax: number): Promise<EtcdAnswer> {
    return new Promise((resolve, reject) => {
      const options = { method: 'POST', agent: this.agent, signal: AbortSignal.timeout(msMax) }
      const call = request(`http://${endpoint}/v3/${path}`, options, (response) => {
        const parts: Buffer[] = []
        response.on('data', (part: Buffer) => parts.push(part))
        response.on('error', (error) => reject(new EtcdFailure(error.message, true)))
        response.on('end', () => {
          const text = Buffer.concat(parts).toString()
          if (response.statusCode === 200) resolve(JSON.parse(text) as EtcdAnswer)
          else reject(new EtcdFailure(text, true))
        })
      })
      // Nothing was sent where nobody listens.
      call.on('error', (error: NodeJS.ErrnoException) =>
        reject(new EtcdFailure(error.message, error.code !== 'ECONNREFUSED' && error.code !== 'EHOSTUNREACH')),
      )
      call.end(JSON.stringify(body))
    })
  }

  close(): void {
    this.agent.destroy()
  }
}

export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** What a register holds, as the answer of a range has it; null: nobody has written it. */
export function valueIn({ kvs }: EtcdAnswer): number | null {
  const value = kvs?.[0]?.value
  return value === undefined ? null : Number(Buffer.from(value, 'base64').toString())
}
