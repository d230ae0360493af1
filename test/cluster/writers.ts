import { expect, onTestFinished } from 'vitest'
import { dialGrpc, nodeEnvironment } from '../../src/client/index.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import { ClientSession } from '../../src/client/session/client-session.ts'
import type { CommandOutcome } from '../../src/client/index.ts'
import { RequestHandlers } from '../../src/client/session/request-handlers.ts'

/** Longer than any of these tests runs: a command is repeated under its id until it is answered. */
const DEADLINE_MS = 300_000
/** The counter machine refuses more than this. */
const INCREMENTS_MAX = 1000

export interface WritersOptions {
  readonly endpoints: readonly string[]
  /** Tells the keys of these writers from others'. */
  readonly name: string
  readonly sessions: number
  /** Commands of one session that wait for their answers at the same time. Default 1. */
  readonly inFlight?: number
}

/** What one session has asked for and heard. */
interface Writer {
  readonly name: string
  readonly session: ClientSession
  /** Increments sent, and the value that each acknowledged one answered with. */
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
  private readonly milestones: { readonly at: number; readonly reached: () => void }[] = []
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

  /** Resolves when so many more commands have been acknowledged. */
  more(count: number): Promise<void> {
    return new Promise((reached) => this.milestones.push({ at: this.acknowledged + count, reached }))
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
    expect(await counterOf(reader, name)).toBe(attempts)
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

  private async loop(writer: Writer): Promise<void> {
    while (!this.stopping && writer.attempts < INCREMENTS_MAX) {
      writer.attempts += 1
      const increment = await writer.session.execute('counter', 'increment', { name: writer.name })
      if (this.note(writer, increment) && increment.kind === 'ok') writer.answers.push(Number(increment.value))
      if (this.stopping) return
      writer.written += 1
      const value = writer.written
      const write = await writer.session.execute('register', 'write', { key: writer.name, value: String(value) })
      if (this.note(writer, write)) writer.acknowledged = Math.max(writer.acknowledged, value)
    }
  }

  private note(writer: Writer, outcome: CommandOutcome): boolean {
    if (outcome.kind !== 'ok') {
      writer.others.push(outcome)
      return false
    }
    writer.requestIds.push(outcome.requestId)
    this.acknowledged += 1
    for (const { at, reached } of this.milestones) if (at === this.acknowledged) reached()
    return true
  }
}

async function expectBounds(writer: Writer, reader: ClientSession): Promise<void> {
  const { name, attempts, answers, written, acknowledged } = writer
  const value = await counterOf(reader, name)
  expect(value).toBeGreaterThanOrEqual(Math.max(0, ...answers))
  expect(value).toBeLessThanOrEqual(attempts)
  const register = await registerOf(reader, name)
  expect(register).toBeGreaterThanOrEqual(acknowledged)
  expect(register).toBeLessThanOrEqual(written)
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
