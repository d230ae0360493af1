import { expect, onTestFinished } from 'vitest'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { ClientSession } from '../../src/client/session/client-session.ts'
import type { CommandOutcome } from '../../src/client/index.ts'
import { RequestHandlers } from '../../src/client/session/request-handlers.ts'

/** Longer than any of these tests runs: a command is repeated under its id until it is answered. */
const DEADLINE_MS = 300_000
/** The counter machine refuses more than this, so a writer goes on with its next counter then. */
const COUNTER_MAX = 1000

export interface WritersOptions {
  readonly endpoints: readonly string[]
  /** Tells the keys of these writers from others'. */
  readonly name: string
  readonly sessions: number
  /** Commands of one session that wait for their answers at the same time. Default 1. */
  readonly inFlight?: number
}

interface Milestone {
  readonly at: number
  readonly reached: () => void
  readonly failed: (error: Error) => void
}

/** What one session has asked for and heard. */
interface Writer {
  readonly name: string
  readonly session: ClientSession
  /** Increments sent, and which of them each acknowledged one was by its answer: all counters before it were filled. */
  attempts: number
  readonly answers: number[]
  readonly requestIds: number[]
  /** Highest number written to the register, and highest whose write was acknowledged. */
  written: number
  acknowledged: number
  readonly others: CommandOutcome[]
}

/**
 * Sessions that write in closed loops: each increments a counter of its own by one and writes rising numbers to a register of
 * its own, and every acknowledgement is noted. So whatever is lost or applied twice shows in what is read back.
 */
export class Writers {
  acknowledged = 0
  private readonly hub: MultiSession
  private readonly options: WritersOptions
  private readonly writers: Writer[] = []
  private milestones: readonly Milestone[] = []
  private stopping = false
  private loops: Promise<void>[] = []

  private constructor(options: WritersOptions) {
    this.options = options
    this.hub = new MultiSession({ environment: nodeEnvironment(dialGrpc), endpoints: options.endpoints })
  }

  /** Opens the sessions over one connection and lets them begin. The connection is closed when the test has finished. */
  static async start(options: WritersOptions): Promise<Writers> {
    const writers = new Writers(options)
    onTestFinished(() => writers.drop())
    await Promise.all(Array.from({ length: options.sessions }, (_, at) => writers.open(`${options.name}-${at}`)))
    const { inFlight = 1 } = options
    writers.loops = writers.writers.flatMap((writer) => Array.from({ length: inFlight }, () => writers.loop(writer)))
    return writers
  }

  /** Resolves when so many more commands have been acknowledged; rejects when one gets another outcome meanwhile. */
  more(count: number): Promise<void> {
    return new Promise((reached, failed) => {
      const refused = this.writers.find(({ others }) => others.length > 0)
      if (refused !== undefined) return failed(errorOf(refused))
      this.milestones = [...this.milestones, { at: this.acknowledged + count, reached, failed }]
    })
  }

  /** Ends the loops; resolves when every command has its outcome. */
  async stop(): Promise<void> {
    this.stopping = true
    await Promise.all(this.loops)
  }

  /** The client is gone at once: what it had asked for and not heard of stays unknown for ever. */
  drop(): void {
    this.stopping = true
    this.hub.close()
  }

  /** After `stop`: every command was answered, each was applied exactly once, and all of it is still there. */
  async expectExactlyOnce(reader: ClientSession): Promise<void> {
    await Promise.all(this.writers.map((writer) => this.expectWriterExact(writer, reader)))
  }

  /** After `drop`: what was acknowledged is there, and nothing that was never asked for. */
  async expectNothingLost(reader: ClientSession): Promise<void> {
    await Promise.all(this.writers.map((writer) => expectBounds(writer, reader)))
  }

  private async expectWriterExact(writer: Writer, reader: ClientSession): Promise<void> {
    const { name, attempts, answers, requestIds, others } = writer
    expect(others).toEqual([])
    expect(answers).toHaveLength(attempts)
    // Each answer is the value that its own increment led to: one that is missing or double would be a lost or a second effect.
    expect([...answers].sort((left, right) => left - right)).toEqual(
      Array.from({ length: attempts }, (_, at) => at + 1),
    )
    // The library never used a new id for an old command.
    expect([...requestIds].sort((left, right) => left - right)).toEqual(
      Array.from({ length: requestIds.length }, (_, at) => at + 1),
    )
    expect(await incrementsOf(reader, writer)).toBe(attempts)
    if ((this.options.inFlight ?? 1) === 1) expect(await registerOf(reader, name)).toBe(writer.written)
  }

  private open(name: string): Promise<void> {
    const { environment, callbacks } = this.hub
    const handlers = new RequestHandlers({ clock: environment.clock, callbacks })
    handlers.on('*', () => {})
    return new Promise((resolve, reject) => {
      const settings = {
        principal: `user:${name}`,
        roles: [],
        capabilities: {},
        name,
        timeoutMs: DEADLINE_MS,
        ordered: false,
        resume: null,
      }
      const core = this.hub.openSession(settings, {
        onReady: resolve,
        onRefused: (code) => reject(new Error(`${name} was refused: ${code}`)),
        onLost: (reason) => reject(new Error(`${name} was lost: ${reason}`)),
        onSuspended: () => {},
        onResumed: () => {},
        onHandlerError: (error) => {
          throw error
        },
        onServerRequest: handlers.receive,
      })
      const session = new ClientSession<readonly []>({
        hub: this.hub,
        core,
        handlers,
        machines: [],
        roles: null,
        deadlineMs: DEADLINE_MS,
      })
      this.writers.push({
        name,
        session,
        attempts: 0,
        answers: [],
        requestIds: [],
        written: 0,
        acknowledged: 0,
        others: [],
      })
    })
  }

  /** Ends early with the first outcome that is no success: a lost session answers at once, for ever. */
  private async loop(writer: Writer): Promise<void> {
    const { session, name } = writer
    while (!this.stopping) {
      const at = writer.attempts
      writer.attempts += 1
      const increment = await session.execute('counter', 'increment', { name: counterName(name, at) })
      if (!this.note(writer, increment) || increment.kind !== 'ok') return
      writer.answers.push(at - (at % COUNTER_MAX) + Number(increment.value))
      if (this.stopping) return
      writer.written += 1
      const value = writer.written
      const write = await session.execute('register', 'write', { key: name, value: String(value) })
      if (!this.note(writer, write)) return
      writer.acknowledged = Math.max(writer.acknowledged, value)
    }
  }

  private note(writer: Writer, outcome: CommandOutcome): boolean {
    if (outcome.kind !== 'ok') {
      writer.others.push(outcome)
      for (const { failed } of this.milestones) failed(errorOf(writer))
      return false
    }
    writer.requestIds.push(outcome.requestId)
    this.acknowledged += 1
    for (const { at, reached } of this.milestones) if (at === this.acknowledged) reached()
    this.milestones = this.milestones.filter(({ at }) => at > this.acknowledged)
    return true
  }
}

async function expectBounds(writer: Writer, reader: ClientSession): Promise<void> {
  const { name, attempts, answers, written, acknowledged } = writer
  const value = await incrementsOf(reader, writer)
  expect(value).toBeGreaterThanOrEqual(Math.max(0, ...answers))
  expect(value).toBeLessThanOrEqual(attempts)
  const register = await registerOf(reader, name)
  expect(register).toBeGreaterThanOrEqual(acknowledged)
  expect(register).toBeLessThanOrEqual(written)
}

function errorOf({ name, others }: Writer): Error {
  return new Error(`${name} heard ${JSON.stringify(others[0])}`)
}

function counterName(writer: string, increment: number): string {
  const filled = Math.floor(increment / COUNTER_MAX)
  return filled === 0 ? writer : `${writer}.${filled}`
}

/** Over all of its counters. */
async function incrementsOf(reader: ClientSession, { name, attempts }: Writer): Promise<number> {
  let sum = 0
  for (let first = 0; first < Math.max(1, attempts); first += COUNTER_MAX) {
    sum += await counterOf(reader, counterName(name, first))
  }
  return sum
}

/** Through the log, so that no lagging node can answer. */
async function counterOf(reader: ClientSession, name: string): Promise<number> {
  return Number(executedValue(await reader.execute('counter', 'increment', { name, by: 0 })))
}

async function registerOf(reader: ClientSession, key: string): Promise<number> {
  return Number(executedValue(await reader.execute('register', 'read', { key })) ?? 0)
}

function executedValue(outcome: CommandOutcome): unknown {
  expect(outcome).toMatchObject({ kind: 'ok' })
  return outcome.kind === 'ok' ? outcome.value : null
}
