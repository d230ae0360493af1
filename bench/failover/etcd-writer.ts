import { Agent, request } from 'node:http'
import type { WriteGap } from './write-gap.ts'

/** A put that has no answer by then is sent to the next member. */
const TRY_MS_MAX = 100
const WRITE_MS_MAX = 30_000

/** Puts through etcd's JSON gateway; one that fails, or has no answer soon, is sent to the next member. */
export class EtcdWriter {
  private readonly endpoints: readonly string[]
  private readonly gap: WriteGap
  private readonly agent = new Agent({ keepAlive: true })
  private member = 0
  private number = 0

  constructor(endpoints: readonly string[], gap: WriteGap) {
    this.endpoints = endpoints
    this.gap = gap
  }

  write(): void {
    this.number += 1
    const body = JSON.stringify({ key: base64('probe'), value: base64(String(this.number)) })
    this.put(body, performance.now() + WRITE_MS_MAX)
  }

  close(): void {
    this.agent.destroy()
  }

  private put(body: string, until: number): void {
    const { member, endpoints } = this
    const again = (): void => {
      if (this.member === member) this.member = (member + 1) % endpoints.length
      if (performance.now() < until) this.put(body, until)
      else this.gap.failed += 1
    }
    const options = { method: 'POST', agent: this.agent, timeout: TRY_MS_MAX }
    const call = request(`${endpoints[member]}/v3/kv/put`, options, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) this.gap.answered()
        else setTimeout(again, 1)
      })
    })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', () => setTimeout(again, 1))
    call.end(body)
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
