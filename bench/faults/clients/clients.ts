import { createWriteStream } from 'node:fs'
import { Random } from '../../../src/base/random.ts'
import { decodeValue } from '../../../src/codec/value/decode.ts'
import { type ClientEnvironment, dialGrpc, encodeValue, nodeEnvironment } from '../../../src/client/index.ts'
import type { RawQueryOutcome } from '../../../src/client/calls/query-board.ts'
import { MultiSession } from '../../../src/client/session/multi-session.ts'
import type { CommandLine, Delivery, HistoryEvent, Journal, SessionLine } from '../history.ts'
import { droppingDial } from './dropping-dial.ts'
import { Lane } from './lane.ts'
import { PaymentRounds, type Payments } from './payment-rounds.ts'
import { JOURNAL_PAGE } from './proof-module.ts'
import { Reader } from './reader.ts'
import { WORKLOADS, type WorkloadName } from './steps.ts'

/** What the bench tells its clients: the last order ends them. */
export type ClientsOrder = { readonly kind: 'stop' } | { readonly kind: 'end' }
export type ClientsReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'stopped'
      /** Null: nobody served it. */
      readonly journal: Journal | null
      readonly deliveries: readonly Delivery[]
      /** Null: these clients pay nothing. */
      readonly payments: Payments | null
      readonly lostSessions: readonly string[]
      readonly unhandledRejections: number
    }

/** How the clients are started: the one argument of their process, as JSON. */
export interface ClientsOptions {
  readonly endpoints: readonly string[]
  readonly seed: number
  readonly lanesPerWorkload: number
  /** Those of this process; another one has the others. */
  readonly workloads: readonly WorkloadName[]
  /** Whether it pays besides. */
  readonly pays: boolean
  /** Which of the processes this one is. */
  readonly half: number
  /** When the run began: nanoseconds of the machine's monotonic clock, in digits. */
  readonly began: string
  /** Where events go, a line each. */
  readonly history: string
}

/** Those that lose answers, or server requests, and the connection with each. */
const LOSING: ReadonlySet<WorkloadName> = new Set(['counter', 'requests', 'visits'])
const LOST_ANSWERS = { share: 0.2, after: 2 } as const
/** Processes of clients. */
const HALVES = 2
const JOURNAL_MS_MAX = 60_000
/** Purposes of streams of random numbers. */
const [LANES, DROPS, PAYMENTS] = [1, 2, 3]

/** A process of its own, in a network of its own where there are any: `clients.js OPTIONS`. */
async function main([text]: readonly string[]): Promise<void> {
  const options = JSON.parse(text ?? '') as ClientsOptions
  const { endpoints, seed, lanesPerWorkload, workloads, pays, half, history } = options
  const began = BigInt(options.began)
  let unhandledRejections = 0
  process.on('unhandledRejection', () => {
    unhandledRejections += 1
  })
  const nowNs = (): number => Number(process.hrtime.bigint() - began)
  const file = createWriteStream(history)
  const note = (event: HistoryEvent): void => void file.write(`${JSON.stringify(event)}\n`)
  const writers = WORKLOADS.length * lanesPerWorkload
  const lanes = writers + HALVES * endpoints.length
  const all = workloads.flatMap((workload) => {
    const kind = WORKLOADS.indexOf(workload)
    const environment = LOSING.has(workload) ? losing(seed, DROPS, kind) : nodeEnvironment(dialGrpc)
    const hub = new MultiSession({ environment, endpoints })
    return Array.from({ length: lanesPerWorkload }, (_, at) => {
      const lane = kind * lanesPerWorkload + at
      return new Lane({ lane, lanes, workload, hub, random: new Random(seed, LANES, lane), note, nowNs })
    })
  })
  const readers = endpoints.map((endpoint, at) => {
    const reader = writers + half * endpoints.length + at
    const environment = nodeEnvironment(dialGrpc)
    return new Reader({ process: reader, endpoint, environment, random: new Random(seed, LANES, reader), note, nowNs })
  })
  const payments = pays ? new PaymentRounds({ endpoints, seed, environment: losing(seed, PAYMENTS, 0) }) : null
  const report = (said: ClientsReport): void => void process.send?.(said)
  process.on('message', async ({ kind }: ClientsOrder) => {
    // Whatever is under way: a run that is given up does not wait for its answers.
    if (kind === 'end') process.exit()
    await Promise.all([...all, ...readers].map((one) => one.stop()))
    const paid = payments === null ? null : await payments.stop()
    const journal = await journalOf(endpoints).catch(() => null)
    await new Promise((resolve) => file.end(() => resolve(null)))
    const lostSessions = all.flatMap(({ lost, options: { lane } }) => (lost === null ? [] : [`lane ${lane}: ${lost}`]))
    const deliveries = all.flatMap((lane) => lane.deliveries)
    report({ kind: 'stopped', journal, deliveries, payments: paid, lostSessions, unhandledRejections })
  })
  process.on('disconnect', () => process.exit())
  await Promise.all(all.map((lane) => lane.start()))
  report({ kind: 'ready' })
}

/** The journal of the machine, as the leader knows it. */
async function journalOf(endpoints: readonly string[]): Promise<Journal> {
  const hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints })
  try {
    // What the machine's schema says.
    const commands = (await linesOf(hub, 'journal')) as CommandLine[]
    return { commands, sessions: (await linesOf(hub, 'sessions')) as SessionLine[] }
  } finally {
    hub.close()
  }
}

async function linesOf(hub: MultiSession, query: 'journal' | 'sessions'): Promise<unknown[]> {
  const lines: unknown[] = []
  for (;;) {
    const input = encodeValue(lines.length)
    const how = { consistency: 'linearizable', incarnation: 0, minIndex: 0, machine: 'proof' } as const
    const outcome = await new Promise<RawQueryOutcome>((resolve) =>
      hub.query({ ...how, query, input }, JOURNAL_MS_MAX, resolve),
    )
    if (outcome.kind !== 'ok') throw new Error(`the journal could not be read: ${outcome.code}`)
    const page = decodeValue(outcome.value) as readonly unknown[]
    lines.push(...page)
    if (page.length < JOURNAL_PAGE) return lines
  }
}

/** An environment in which answers get lost. */
function losing(seed: number, purpose: number, part: number): ClientEnvironment {
  return nodeEnvironment(droppingDial(dialGrpc, new Random(seed, purpose, part), LOST_ANSWERS))
}

await main(process.argv.slice(2))
