import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type NodeId, nodeId } from '../../src/base/brand.ts'
import { decodeValue } from '../../src/codec/value/decode.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import type { RawQueryOutcome } from '../../src/client/calls/query-board.ts'
import { dialGrpc, encodeValue, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { statusOf } from '../agreement.ts'
import { openBenchSession } from '../bench-session.ts'
import { PAGE, writeShelfModule } from './shelf-module.ts'

const HOST = '127.0.0.1'
const SESSION_TIMEOUT_MS = 300_000
/** What is not answered by then will not be. */
const PATIENT_MS = 40_000
const AGREE_MS_MAX = 30_000
const LOOK_AGAIN_MS = 40
/** Segments of 64 KiB and snapshots as often as that lets them come. */
const LIMITS = 'snapshotBytes=262144'
const TEXT = 'x'.repeat(2048)

/** One node: the process that is there now, and what the newest one has said. */
interface Seat {
  readonly id: NodeId
  readonly endpoint: string
  readonly data: string
  process: NodeProcess | null
  lines: string[]
}

/** One node or three, as processes, and a session that puts numbers on a shelf and keeps what it was told. */
export class ShelfCluster {
  readonly seats: readonly Seat[]
  private readonly machines: string
  private readonly hub: MultiSession
  private core: SessionCore | null = null
  /** Numbers that were answered, per lane. */
  private readonly put = new Map<number, Set<number>>()
  private readonly numbers = new Map<number, number>()

  private constructor(seats: readonly Seat[], machines: string) {
    this.seats = seats
    this.machines = machines
    this.hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: this.endpoints })
  }

  static async start(nodes: 1 | 3, directory: string): Promise<ShelfCluster> {
    mkdirSync(directory, { recursive: true })
    const machines = join(directory, 'machines.mjs')
    writeShelfModule(machines)
    const ports = await freePorts(nodes, HOST)
    const seats = ports.map((port, at): Seat => {
      const id = nodeId(`n${at + 1}`)
      return { id, endpoint: `${HOST}:${port}`, data: join(directory, id), process: null, lines: [] }
    })
    const cluster = new ShelfCluster(seats, machines)
    await Promise.all(seats.map((seat) => cluster.startNode(seat)))
    return cluster
  }

  get endpoints(): readonly string[] {
    return this.seats.map(({ endpoint }) => endpoint)
  }

  /** Starts a node that is down; null once it listens, else the code with which it refused. `through`: before its own words. */
  async startNode(seat: Seat, through: readonly string[] = []): Promise<string | null> {
    seat.lines = []
    const process = NodeProcess.spawn({
      id: seat.id,
      address: seat.endpoint,
      members: this.seats.map(({ id, endpoint }) => `${id}=${endpoint}`).join(','),
      dataDirectory: seat.data,
      machines: this.machines,
      through,
      environment: { HOLDFAST_LIMITS: LIMITS, HOLDFAST_LOG_LEVEL: 'warn', UV_USE_IO_URING: '0', NO_COLOR: '1' },
      onLine: (line) => seat.lines.push(line),
    })
    seat.process = process
    void process.exited.then(() => {
      if (seat.process === process) seat.process = null
    })
    try {
      await process.ready()
      return null
    } catch {
      return refusalIn(seat.lines)
    }
  }

  async kill({ process }: Seat): Promise<void> {
    await process?.kill()
  }

  /** Puts so many further numbers on a lane; resolves when all are answered. */
  async write(lane: number, count: number): Promise<void> {
    this.core ??= await openBenchSession(this.hub, {
      principal: 'user:shelf',
      timeoutMs: SESSION_TIMEOUT_MS,
      onLost: () => (this.core = null),
    })
    const { core } = this
    if (core === null) throw new Error('the session was lost')
    const first = (this.numbers.get(lane) ?? 0) + 1
    this.numbers.set(lane, first + count - 1)
    await Promise.all(Array.from({ length: count }, (_, at) => this.putOne(core, lane, first + at)))
  }

  /** What is wrong with a lane, a sentence each: an answered number that is missing, or any that is there more than once. */
  async wrongIn(lane: number): Promise<string[]> {
    const held = new Map<number, number>()
    for (let from = 0; ; ) {
      const page = await this.page(lane, from)
      for (const { number, times } of page) held.set(number, times)
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) break
      from = last.number + 1
    }
    const lost = [...(this.put.get(lane) ?? [])].filter((number) => !held.has(number))
    const doubled = [...held].filter(([, times]) => times !== 1)
    return [
      ...lost.map((number) => `lane ${lane}: ${number} was acknowledged and is not there`),
      ...doubled.map(([number, times]) => `lane ${lane}: ${number} was applied ${times} times`),
    ]
  }

  /** All nodes have applied the same, with equal hashes, and none owes anything; else why not, after half a minute. */
  async agree(): Promise<string | null> {
    const end = performance.now() + AGREE_MS_MAX
    for (;;) {
      const all = await Promise.all(this.endpoints.map(statusOf))
      const states = new Set(all.map((status) => `${status?.appliedIndex} ${status?.stateHash}`))
      const well = all.every((status) => status !== null && status.halted === null)
      if (well && states.size === 1 && all.some((status) => status?.role === 'leader')) return null
      if (performance.now() > end) return all.map((status, at) => `n${at + 1}: ${JSON.stringify(status)}`).join('; ')
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))
    }
  }

  async stop(): Promise<void> {
    this.hub.close()
    await Promise.all(this.seats.map((seat) => this.kill(seat)))
  }

  private async putOne(core: SessionCore, lane: number, number: number): Promise<void> {
    const call = { machine: 'shelf', command: 'put', input: encodeValue({ lane, number, text: TEXT }) }
    const until = this.hub.environment.clock.nowMs() + PATIENT_MS
    const outcome = await new Promise<RawOutcome>((resolve) => core.enqueue(call, until, resolve))
    if (outcome.kind !== 'ok') return
    const put = this.put.get(lane) ?? new Set()
    put.add(number)
    this.put.set(lane, put)
  }

  private async page(lane: number, from: number): Promise<Page> {
    const query = {
      consistency: 'linearizable',
      incarnation: 0,
      minIndex: 0,
      machine: 'shelf',
      query: 'held',
      input: encodeValue({ lane, from }),
    } as const
    const answer = await new Promise<RawQueryOutcome>((resolve) => this.hub.query(query, PATIENT_MS, resolve))
    if (answer.kind !== 'ok') throw new Error(`the shelf was not read: ${answer.code}`)
    // As the machine's query answers.
    return decodeValue(answer.value) as Page
  }
}

type Page = readonly { readonly number: number; readonly times: number }[]

/** Code of the sentence with which a start was refused. */
function refusalIn(lines: readonly string[]): string {
  for (const line of lines.toReversed()) {
    const code = /\b([A-Z]+(?:_[A-Z]+)+|LOCKED)\b/.exec(line)?.[1]
    if (code !== undefined) return code
  }
  return `NOTHING SAID: ${lines.join(' ')}`
}
