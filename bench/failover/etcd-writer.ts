import { Agent, request } from 'node:http'
import type { WriteGap } from './write-gap.ts'

/** A put that has no answer by then is sent to the next member. */
const TRY_MS_MAX = 100
const WRITE_MS_MAX = 30_000

/** One put under way. */
interface Put {
  readonly body: string
  readonly until: number
}

/**
 * Puts through etcd's JSON gateway; one that fails, or has no answer soon, is sent to the next member. One at a time does so:
 * the others that fail meanwhile wait until it has been answered, for a cluster whose disks are slow would never answer the
 * repetitions of all of them.
 */
export class EtcdWriter {
  private readonly endpoints: readonly string[]
  private readonly gap: WriteGap
  private readonly agent = new Agent({ keepAlive: true })
  private readonly parked: Put[] = []
  private scout: Put | null = null
  private member = 0
  private number = 0

  constructor(endpoints: readonly string[], gap: WriteGap) {
    this.endpoints = endpoints
    this.gap = gap
  }

  write(): void {
    this.number += 1
    const body = JSON.stringify({ key: base64('probe'), value: base64(String(this.number)) })
    const put = { body, until: performance.now() + WRITE_MS_MAX }
    if (this.scout === null) this.send(put)
    else this.parked.push(put)
  }

  close(): void {
    this.agent.destroy()
  }

  private send(put: Put): void {
    const { member, endpoints } = this
    let over = false
    const failed = (): void => {
      if (over) return
      over = true
      if (this.member === member) this.member = (member + 1) % endpoints.length
      setTimeout(() => this.again(put), 1)
    }
    const options = { method: 'POST', agent: this.agent, timeout: TRY_MS_MAX }
    const call = request(`${endpoints[member]}/v3/kv/put`, options, (response) => {
      response.resume().on('end', () => {
        if (response.statusCode === 200) this.answered(put)
        else failed()
      })
    })
    call.on('timeout', () => call.destroy(new Error('no answer')))
    call.on('error', failed)
    call.end(put.body)
  }

  private answered(put: Put): void {
    this.gap.answered()
    if (this.scout !== put) return
    this.scout = null
    for (const waiting of this.parked.splice(0)) this.send(waiting)
  }

  private again(put: Put): void {
    if (this.scout !== null && this.scout !== put) {
      this.parked.push(put)
      return
    }
    this.scout = put
    if (performance.now() < put.until) return this.send(put)
    this.gap.failed += 1
    this.scout = null
    for (const waiting of this.parked.splice(0)) this.send(waiting)
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
