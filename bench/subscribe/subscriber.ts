import { decodeValue } from '../../src/codec/value/decode.ts'
import { encodeValue } from '../../src/client/index.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import { openBenchSession } from '../bench-session.ts'
import type { Latencies } from '../latencies.ts'
import { HOT_KEY, type WriteStream } from './write-stream.ts'

const SESSION_TIMEOUT_MS = 60_000

/** One change as it was heard; the number is that of the write, 0: nothing was written yet. */
interface Heard {
  readonly kind: 'value' | 'compacted'
  readonly index: number
  readonly number: number
}

/** One session that subscribes to the register, and what it hears. */
export class Subscriber {
  readonly heard: Heard[] = []
  /** Why it hears no more; null: it does. */
  ended: string | null = null

  /** Resolves when it has heard the first value. `latencies` takes the time from the sending of each write to its change. */
  static async open(hub: MultiSession, stream: WriteStream, latencies: Latencies): Promise<Subscriber> {
    const core = await openBenchSession(hub, { principal: 'user:subscriber', timeoutMs: SESSION_TIMEOUT_MS })
    const subscriber = new Subscriber()
    const asked = { machine: 'register', query: 'read', input: encodeValue({ key: HOT_KEY }) }
    await new Promise<void>((resolve, reject) => {
      hub.subscribe(
        { channel: core.channel, incarnation: 0, minIndex: 0, ...asked },
        {
          onChange: ({ kind, index, value }) => {
            const number = Number(decodeValue(value) ?? 0)
            subscriber.heard.push({ kind, index, number })
            if (number > 0) latencies.record(performance.now() - (stream.sentAt[number] ?? 0))
            resolve()
          },
          onEnd: ({ code }) => {
            subscriber.ended = code
            reject(new Error(`the subscription ended: ${code}`))
          },
        },
      )
    })
    return subscriber
  }

  /** Number of the write that it heard of last. */
  get last(): number {
    return this.heard.at(-1)?.number ?? 0
  }

  /** Writes, by number, whose value was left out without a word. */
  missed(stream: WriteStream): number[] {
    const byIndex = [...stream.indexes].sort(([, left], [, right]) => left - right)
    const missed: number[] = []
    let next = 0
    for (const [at, { kind, index, number }] of this.heard.entries()) {
      const before = this.heard[at - 1]?.index ?? index
      for (; next < byIndex.length; next += 1) {
        const [written, writtenAt] = byIndex[next] as [number, number] // within range
        if (writtenAt > index) break
        const told = writtenAt === index && written === number
        if (!told && kind === 'value' && writtenAt > before) missed.push(written)
      }
    }
    for (const [written] of byIndex.slice(next)) missed.push(written)
    return missed
  }
}
