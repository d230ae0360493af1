import type { Value } from '../../codec/value/value.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { CallOptions, CommandOutcome, QueryOptions, QueryOutcome } from '../calls/call.ts'
import { commandOutcome, queryOutcome } from '../calls/call.ts'
import { type MachineCommands, type MachineLike, type MachineQueries, methodsOf } from './typed-machines.ts'
import type { MultiSession } from './multi-session.ts'
import type { RawOutcome } from '../calls/raw-outcome.ts'
import type { RequestHandler, RequestHandlers, ReceivedRequest } from './request-handlers.ts'
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

  /** Executes a command once, whatever fails in between. Never rejects: every end is an outcome. */
  execute(machine: string, command: string, input: Value, options: CallOptions = {}): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      const encoded = encode(input)
      if (typeof encoded === 'string') {
        return resolve({ kind: 'notExecuted', requestId: 0, code: 'VALIDATION_ERROR', details: { message: encoded } })
      }
      const { signal } = options
      if (signal?.aborted === true)
        return resolve({ kind: 'notExecuted', requestId: 0, code: 'ABORTED', details: null })
      const { core, deadlineMs, hub } = this.parts
      const deadlineAt = hub.environment.clock.nowMs() + (options.deadlineMs ?? deadlineMs)
      let id = 0
      const abort = (): void => core.window.abort(id, 'ABORTED')
      id = core.enqueue({ machine, command, input: encoded }, deadlineAt, (raw, requestId) => {
        signal?.removeEventListener('abort', abort)
        resolve(this.outcome(raw, requestId))
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Asks again for the outcome of a command that was `unknown`. */
  resolve(requestId: number, options: { deadlineMs?: number } = {}): Promise<CommandOutcome> {
    return new Promise((resolve) => {
      const { core, deadlineMs, hub } = this.parts
      const deadlineAt = hub.environment.clock.nowMs() + (options.deadlineMs ?? deadlineMs)
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

  /** Asks a query. Never rejects: every end is an outcome. */
  query(machine: string, query: string, input: Value, options: QueryOptions = {}): Promise<QueryOutcome> {
    return new Promise((resolve) => {
      const encoded = encode(input)
      if (typeof encoded === 'string') return resolve({ kind: 'failed', code: 'VALIDATION_ERROR' })
      const { core, hub, deadlineMs } = this.parts
      const { channel } = core
      const consistency = options.consistency ?? 'sequential'
      const { index, incarnation } = consistency === 'sequential' ? this.seen : { index: 0, incarnation: 0 }
      hub.query(
        { channel, consistency, incarnation, minIndex: index, machine, query, input: encoded },
        options.deadlineMs ?? deadlineMs,
        (raw) => {
          if (raw.kind === 'ok') this.see(raw.index, raw.incarnation)
          resolve(queryOutcome(raw))
        },
      )
    })
  }

  /** Handles server requests of a type, `*` for all without a handler; acknowledged after the handler has finished. */
  on(type: string, handler: RequestHandler): this {
    this.parts.handlers.on(type, handler)
    return this
  }

  /** Server requests without a handler, one by one; each is acknowledged when the next one is asked for. */
  serverRequests(): AsyncGenerator<ReceivedRequest, undefined, undefined> {
    return this.parts.handlers.iterate()
  }

  /** Ends the session at the server, after all that was asked before, and the connection. False: the server was not reached. */
  close(options: { deadlineMs?: number } = {}): Promise<boolean> {
    const { core, hub, handlers } = this.parts
    return new Promise((resolve) => {
      const finish = (closed: boolean): void => {
        timer.cancel()
        handlers.stop()
        hub.close()
        resolve(closed)
      }
      const timer = hub.environment.clock.setTimer(options.deadlineMs ?? CLOSE_DEADLINE_MS, () => core.drop())
      core.closeSession(finish)
    })
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
    return commandOutcome(raw, requestId)
  }

  private see(index: number, incarnation: number): void {
    if (incarnation !== this.seen.incarnation || index > this.seen.index) this.seen = { index, incarnation }
  }
}

/** The encoding, or a sentence about what cannot be encoded. */
function encode(input: Value): Uint8Array | string {
  try {
    return encodeValue(input)
  } catch (error) {
    if (error instanceof ValueError) return error.message
    throw error
  }
}
