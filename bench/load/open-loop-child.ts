import { dialGrpc, encodeValue, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'
import { Latencies } from '../latencies.ts'
import { Arrivals } from './arrivals.ts'
import type { OpenLoopOrder, OpenLoopReport } from './open-loop.ts'

const CONNECTIONS = 4
const SESSIONS = 256
const SESSION_TIMEOUT_MS = 120_000
const COMMAND_MS_MAX = 120_000
const VALUE = 'o'.repeat(128)
/** How often it is looked which writes are due: so late they are sent at most, and it counts to their latency. */
const STEP_MS = 1

/** Writes of registers, which are due at a fixed rate; those of one session go to one register. */
class Writes {
  private readonly cores: readonly SessionCore[]
  private readonly inputs: readonly Uint8Array[]
  private latencies = new Latencies()
  private failures = 0
  private unanswered = 0
  private next = 0
  private since = performance.now()
  private cpu = process.cpuUsage()
  private timer: NodeJS.Timeout | null = null
  private idle: () => void = () => undefined

  constructor(cores: readonly SessionCore[]) {
    this.cores = cores
    this.inputs = cores.map((_, at) => encodeValue({ key: `open-${at}`, value: VALUE }))
  }

  begin(perSecond: number): void {
    const arrivals = new Arrivals(perSecond, performance.now())
    this.timer = setInterval(() => {
      const now = performance.now()
      for (let at = arrivals.takeDue(now); at !== null; at = arrivals.takeDue(now)) this.write(at, now)
    }, STEP_MS)
    this.take()
  }

  take(): OpenLoopReport {
    const { latencies, failures, unanswered } = this
    const { user, system } = process.cpuUsage(this.cpu)
    const elapsedMs = performance.now() - this.since
    this.latencies = new Latencies()
    this.failures = 0
    this.since = performance.now()
    this.cpu = process.cpuUsage()
    return {
      answered: latencies.count,
      failures,
      unanswered,
      p50Ms: latencies.percentileMs(50),
      p99Ms: latencies.percentileMs(99),
      maxMs: latencies.percentileMs(100),
      cpuShare: Math.round((user + system) / elapsedMs / 10) / 100,
    }
  }

  async rest(): Promise<OpenLoopReport> {
    this.end()
    if (this.unanswered > 0)
      await new Promise<void>((resolve) => {
        this.idle = resolve
      })
    return this.take()
  }

  end(): void {
    if (this.timer !== null) clearInterval(this.timer)
    this.timer = null
  }

  private write(dueAt: number, now: number): void {
    const lane = this.next % this.cores.length
    const [core, input] = [this.cores[lane], this.inputs[lane]]
    if (core === undefined || input === undefined) throw new Error('an open loop has a session')
    this.next += 1
    this.unanswered += 1
    core.enqueue({ machine: 'register', command: 'write', input }, now + COMMAND_MS_MAX, (outcome) => {
      if (outcome.kind === 'ok') this.latencies.record(performance.now() - dueAt)
      else this.failures += 1
      this.unanswered -= 1
      if (this.unanswered === 0) this.idle()
    })
  }
}

/** A process of its own: `open-loop-child.js ENDPOINT…`, driven by the orders of its parent. */
async function main(endpoints: readonly string[]): Promise<void> {
  const hubs = Array.from(
    { length: CONNECTIONS },
    () => new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints }),
  )
  const opening = Array.from({ length: SESSIONS }, (_, at) =>
    openBenchSession(hubs[at % CONNECTIONS] as MultiSession, {
      principal: `user:open-${at}`,
      timeoutMs: SESSION_TIMEOUT_MS,
    }),
  )
  const writes = new Writes(await Promise.all(opening))
  const report = (of: OpenLoopReport): void => void process.send?.(of)
  process.on('message', (order: OpenLoopOrder) => {
    if (order.kind === 'end') {
      writes.end()
      for (const hub of hubs) hub.close()
      return process.disconnect()
    }
    if (order.kind === 'rest') return void writes.rest().then(report)
    if (order.kind === 'begin') writes.begin(order.perSecond)
    report(writes.take())
  })
  report(writes.take())
}

await main(process.argv.slice(2))
