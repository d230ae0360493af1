import type { Value } from '../../codec/value/value.ts'
import type { CallOptions, CommandOutcome, QueryOptions, QueryOutcome } from '../calls/call.ts'
import { commandOutcome, queryOutcome } from '../calls/call.ts'
import { checkCommand, checkDeadlineOf, checkQuery } from '../check/check-call.ts'
import { checked, type InvalidArgument, orThrow } from '../check/invalid-argument.ts'
import { type MachineCommands, type MachineLike, type MachineQueries, methodsOf } from './typed-machines.ts'
import type { MultiSession } from './multi-session.ts'
import type { RawOutcome } from '../calls/raw-outcome.ts'
import type { ReceivedRequest } from './received-request.ts'
import type { RequestHandler, RequestHandlers } from './request-handlers.ts'
import type { SessionCore } from './session-core.ts'
import type { SessionToken } from './session-settings.ts'

/** What `connect` puts together. */
export interface ClientSessionParts<Machines extends readonly MachineLike[]> {
  readonly hub: MultiSession
  readonly core: SessionCore
  readonly handlers: RequestHandlers
  readonly machines: Machines
  /** Default deadline of commands and queries, ms. */
  readonly deadlineMs: number
}

const CLOSE_DEADLINE_MS = 5000

/**
 * One session of a cluster: exactly-once commands, queries that see what was done, and requests from the server. Made by
 * `connect`.
 */
export class ClientSession<Machines extends readonly MachineLike[] = readonly []> {
  /** Typed commands of the definitions given to `connect`. */
  readonly machines: MachineCommands<Machines>
  /** Typed queries of the same. */
  readonly queries: MachineQueries<Machines>
  private readonly parts: ClientSessionParts<Machines>
  /** Highest index seen, and its incarnation: what a sequential query must show. */
  private seen = { index: 0, incarnation: 0 }
  /** What the first `close` gives. */
  private closed: Promise<boolean> | null = null

  constructor(parts: ClientSessionParts<Machines>) {
    this.parts = parts
    // The methods are made from the very definitions that the types are derived from.
    this.machines = methodsOf(parts.machines, 'commands', (machine, name, input, options) =>
      this.execute(machine, name, input as Value, options),
    ) as MachineCommands<Machines>
    this.queries = methodsOf(parts.machines, 'queries', (machine, name, input, options) =>
      this.query(machine, name, input as Value, options),
    ) as MachineQueries<Machines>
  }

  /** Text form of the session's id, `group/incarnation/index`. */
  get id(): string {
    const { token } = this.parts.core
    return token === null ? '' : `${token.group}/${token.incarnation}/${token.index}`
  }

  /** What another process needs to take the session up (`resume` of `connect`). A secret: keep it as one. */
  get token(): SessionToken | null {
    return this.parts.core.token
  }

  /** True while nothing was heard for the session's timeout: it may have expired, and only the server can tell. */
  get suspended(): boolean {
    return this.parts.core.suspended
  }

  /**
   * Executes a command once, whatever fails in between. Never rejects: every end is an outcome. What cannot be sent is
   * `notExecuted` at once, with the field in its details: INVALID, or VALIDATION_ERROR of the input.
   */
  execute(machine: string, command: string, input: Value, options: CallOptions = {}): Promise<CommandOutcome> {
    const { core, deadlineMs, hub } = this.parts
    const usable = checked('options', () => checkCommand({ machine, name: command, input, options }, deadlineMs))
    if (!usable.ok) return Promise.resolve(refusedCommand(usable.error))
    const { signal, ...call } = usable.value
    if (signal?.aborted === true)
      return Promise.resolve({ kind: 'notExecuted', requestId: 0, code: 'ABORTED', details: null })
    return new Promise((resolve) => {
      const deadlineAt = hub.environment.clock.nowMs() + call.deadlineMs
      let id = 0
      const abort = (): void => core.window.abort(id, 'ABORTED')
      const listening = checked('options.signal', () => signal?.addEventListener('abort', abort, { once: true }))
      if (!listening.ok) return resolve(refusedCommand(listening.error))
      id = core.enqueue(call, deadlineAt, (raw, requestId) => {
        resolve(this.outcome(raw, requestId))
        signal?.removeEventListener('abort', abort)
      })
    })
  }

  /** Asks again for the outcome of a command that was `unknown`. Rejects with InvalidArgument for unusable options. */
  async resolve(requestId: number, options: { deadlineMs?: number } = {}): Promise<CommandOutcome> {
    const { core, hub } = this.parts
    const deadlineMs = orThrow('options', () => checkDeadlineOf(options, this.parts.deadlineMs))
    return new Promise((resolve) => {
      const deadlineAt = hub.environment.clock.nowMs() + deadlineMs
      const known = core.window.resolve(requestId, deadlineAt, (raw) => resolve(this.outcome(raw, requestId)))
      if (!known) resolve({ kind: 'unknown', requestId, code: 'UNKNOWN_REQUEST' })
    })
  }

  /**
   * Ends a command that was `unknown`. A copy that is still under way can be executed until the next command of this
   * session, which tells the server, has been applied; never after that.
   */
  abandon(requestId: number): boolean {
    return this.parts.core.window.abandon(requestId)
  }

  /** Asks a query. Never rejects: every end is an outcome; what cannot be sent is `failed` at once, as for `execute`. */
  query(machine: string, query: string, input: Value, options: QueryOptions = {}): Promise<QueryOutcome> {
    const { core, hub, deadlineMs } = this.parts
    const usable = checked('options', () => checkQuery({ machine, name: query, input, options }, deadlineMs))
    if (!usable.ok) {
      const { code, field, problem } = usable.error
      return Promise.resolve({ kind: 'failed', code, details: { field, problem } })
    }
    const { channel } = core
    const { deadlineMs: waitMs, ...call } = usable.value
    const { index, incarnation } = call.consistency === 'sequential' ? this.seen : { index: 0, incarnation: 0 }
    return new Promise((resolve) => {
      hub.query({ ...call, channel, incarnation, minIndex: index }, waitMs, (raw) => {
        if (raw.kind === 'ok') this.see(raw.index, raw.incarnation)
        resolve(decoded(() => queryOutcome(raw)) ?? { kind: 'failed', code: 'MALFORMED_FRAME' })
      })
    })
  }

  /**
   * Handles server requests of a type, `*` for all without a handler; acknowledged after the handler has finished. Throws
   * InvalidArgument for what is no type or no handler.
   */
  on(type: string, handler: RequestHandler): this {
    this.parts.handlers.on(type, handler)
    return this
  }

  /**
   * Server requests without a handler, one by one; each is acknowledged when the next one is asked for. Every `next` settles:
   * with a request, or with the end when the iterator is left or the session is over.
   */
  serverRequests(): AsyncGenerator<ReceivedRequest, undefined, undefined> {
    return this.parts.handlers.iterate()
  }

  /**
   * Ends the session at the server, after all that was asked before, and the connection. False: the server was not reached
   * within the deadline, 5 s by default. From now on commands are `notExecuted` with SESSION_CLOSED. Calls after the first
   * one hear what that one does. Rejects with InvalidArgument for options that cannot be used, and closes nothing.
   */
  async close(options: { deadlineMs?: number } = {}): Promise<boolean> {
    const deadlineMs = orThrow('options', () => checkDeadlineOf(options, CLOSE_DEADLINE_MS))
    const { core, hub, handlers } = this.parts
    this.closed ??= new Promise((resolve) => {
      const finish = (closed: boolean): void => {
        timer.cancel()
        handlers.stop()
        hub.close()
        resolve(closed)
      }
      const timer = hub.environment.clock.setTimer(deadlineMs, () => core.drop())
      core.closeSession(finish)
    })
    return this.closed
  }

  /** Ends the connection and keeps the session: `connect({ resume: token })` takes it up again before it expires. */
  detach(): SessionToken | null {
    const { token } = this.parts.core
    this.parts.handlers.stop()
    this.parts.hub.close()
    return token
  }

  private outcome(raw: RawOutcome, requestId: number): CommandOutcome {
    if (raw.kind === 'ok' || raw.kind === 'rejected') this.see(raw.index, this.parts.core.token?.incarnation ?? 0)
    return decoded(() => commandOutcome(raw, requestId)) ?? { kind: 'unknown', requestId, code: 'MALFORMED_FRAME' }
  }

  private see(index: number, incarnation: number): void {
    if (incarnation !== this.seen.incarnation || index > this.seen.index) this.seen = { index, incarnation }
  }
}

function refusedCommand({ code, field, problem }: InvalidArgument): CommandOutcome {
  return { kind: 'notExecuted', requestId: 0, code, details: { field, problem } }
}

/** Null where the server's bytes are no value, which no node of this version sends: the caller must hear all the same. */
function decoded<Outcome>(decode: () => Outcome): Outcome | null {
  try {
    return decode()
  } catch {
    return null
  }
}
