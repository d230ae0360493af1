import type { Value } from '../../codec/value/value.ts'
import type { CallOptions, CommandOutcome, QueryOptions, QueryOutcome } from '../calls/call.ts'
import { commandOutcome, queryOutcome } from '../calls/call.ts'
import { onAbort } from '../calls/abort-signals.ts'
import { earlierOutcome, earlierOutcomeQuery } from '../calls/earlier-outcome.ts'
import { ChangeIterator, type LiveQuery, type SubscribeOptions } from '../calls/live-query.ts'
import { type CheckedQuery, checkCommand, checkDeadlineOf, checkQuery, checkSubscribe } from '../check/check-call.ts'
import { checked, InvalidArgument, orThrow } from '../check/invalid-argument.ts'
import {
  type MachineCommands,
  type MachineLike,
  type MachineLiveQueries,
  type MachineQueries,
  methodsOf,
} from './typed-machines.ts'
import type { MultiSession } from './multi-session.ts'
import type { RawOutcome } from '../calls/raw-outcome.ts'
import type { RequestHandler, RequestHandlers } from './request-handlers.ts'
import type { SessionCore } from './session-core.ts'
import type { ClientSessionState } from './session-events.ts'
import type { SessionToken } from './session-settings.ts'
import type { RequestOfType, SessionRequest, TaskAssignment } from './typed-requests.ts'
import type { WorkerHandlers } from '../worker/typed-tasks.ts'
import { Worker } from '../worker/worker.ts'
import { workerKinds } from '../worker/worker-kinds.ts'
import { checkWorkerOptions, type WorkerOptions } from '../worker/worker-options.ts'

/** What `connect` puts together. */
export interface ClientSessionParts<Machines extends readonly MachineLike[]> {
  readonly hub: MultiSession
  readonly core: SessionCore
  readonly handlers: RequestHandlers
  readonly machines: Machines
  /** Roles that it was opened with; null: it was taken up, and they are not known. */
  readonly roles: readonly string[] | null
  /** Default deadline of commands and queries, ms. */
  readonly deadlineMs: number
}

const CLOSE_DEADLINE_MS = 5000
const ignore = (): void => {}

/**
 * One session of a cluster: exactly-once commands, queries that see what was done, and requests from the server. Made by
 * `connect`.
 */
export class ClientSession<Machines extends readonly MachineLike[] = readonly []> {
  /** Typed commands of the definitions given to `connect`. */
  readonly machines: MachineCommands<Machines>
  /** Typed queries of the same. */
  readonly queries: MachineQueries<Machines>
  /** Typed subscriptions to them. */
  readonly live: MachineLiveQueries<Machines>
  private readonly parts: ClientSessionParts<readonly MachineLike[]>
  /** Highest index seen, and its incarnation: what a sequential query must show. */
  private seen = { index: 0, incarnation: 0 }
  /** What the first `close` gives. */
  private closed: Promise<boolean> | null = null
  private hasWorker = false

  constructor(parts: ClientSessionParts<Machines>) {
    this.parts = parts
    // The methods are made from the very definitions that the types are derived from.
    this.machines = methodsOf(parts.machines, 'commands', (machine, name, input, options) =>
      this.execute(machine, name, input as Value, options),
    ) as MachineCommands<Machines>
    this.queries = methodsOf(parts.machines, 'queries', (machine, name, input, options) =>
      this.query(machine, name, input as Value, options),
    ) as MachineQueries<Machines>
    this.live = methodsOf(parts.machines, 'queries', (machine, name, input, options) =>
      this.subscribe(machine, name, input as Value, options),
    ) as MachineLiveQueries<Machines>
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

  /** The id of the newest command, for `after` of a query and to note for `resolve`; 0: there was none. */
  get lastRequestId(): number {
    return this.parts.core.window.nextRequestId - 1
  }

  /** True while nothing was heard for the session's timeout: it may have expired, and only the server can tell. */
  get suspended(): boolean {
    return this.state === 'suspended'
  }

  /** How the session stands; `connect` gives it attached. */
  get state(): ClientSessionState {
    return this.parts.core.state
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
      const listening = checked('options.signal', () =>
        signal === null ? ignore : onAbort(signal, () => core.window.abort(id, 'ABORTED')),
      )
      if (!listening.ok) return resolve(refusedCommand(listening.error))
      id = core.enqueueChecked(call, deadlineAt, (raw, requestId) => {
        listening.value()
        resolve(this.outcome(raw, requestId))
      })
    })
  }

  /**
   * Asks again for the outcome of a command that was `unknown`. In a session that was taken up it also tells what became
   * of those of its earlier holder, until the first new command has been sent: that one lets their responses go. Rejects
   * with InvalidArgument for unusable options.
   */
  async resolve(requestId: number, options: { deadlineMs?: number } = {}): Promise<CommandOutcome> {
    const { core, hub } = this.parts
    const deadlineMs = orThrow('options', () => checkDeadlineOf(options, this.parts.deadlineMs))
    return new Promise((resolve) => {
      const deadlineAt = hub.environment.clock.nowMs() + deadlineMs
      const known = core.window.resolve(requestId, deadlineAt, (raw) => resolve(this.outcome(raw, requestId)))
      if (!known) this.resolveEarlier(requestId, deadlineMs, resolve)
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
    const usable = checked('options', () => checkQuery({ machine, name: query, input, options }, this.parts.deadlineMs))
    if (!usable.ok) {
      const { code, field, problem } = usable.error
      return Promise.resolve({ kind: 'failed', code, details: { field, problem } })
    }
    const { after, ...call } = usable.value
    return new Promise((resolve) => {
      if (after === null) return this.ask(call, resolve)
      this.afterCommand(after, call.deadlineMs, (code, deadlineMs) => {
        if (code === null) this.ask({ ...call, deadlineMs }, resolve)
        else resolve({ kind: 'failed', code })
      })
    })
  }

  /**
   * Subscribes to a query: its answer now, not older than what this session has seen, and every other one after it, in the
   * order of the log, over any number of connections and leaders; what had to be left out, the next change says
   * (`compacted`). It ends with the session, or with the code of a query that is rejected (`LiveQuery`). Throws
   * InvalidArgument for what cannot be sent.
   */
  subscribe(machine: string, query: string, input: Value, options: SubscribeOptions = {}): LiveQuery {
    const { bufferBytes, ...asked } = orThrow('options', () => checkSubscribe({ machine, name: query, input, options }))
    const { core, hub } = this.parts
    const { index: minIndex, incarnation } = this.seen
    return new ChangeIterator(bufferBytes, (listener) =>
      hub.subscribe({ ...asked, channel: core.channel, incarnation, minIndex }, listener),
    )
  }

  /**
   * Handles server requests of a type, `*` for all without a handler; acknowledged after the handler has finished. With
   * machines given to `connect` the compiler knows their types, `machine.type`, and those of the framework, `task` and
   * `notification`, each with its payload. Throws InvalidArgument for what is no type or no handler.
   */
  on<Type extends SessionRequest<Machines>['type'] | '*'>(
    type: Type,
    handler: RequestHandler<RequestOfType<Machines, Type>>,
  ): this {
    // The types say what machines of this version send.
    this.parts.handlers.on(type, handler as RequestHandler)
    return this
  }

  /**
   * Server requests without a handler, one by one; each is acknowledged when the next one is asked for. Every `next` settles:
   * with a request, or with the end when the iterator is left or the session is over.
   */
  serverRequests(): AsyncGenerator<SessionRequest<Machines>, undefined, undefined> {
    return this.parts.handlers.iterate() as AsyncGenerator<SessionRequest<Machines>, undefined, undefined> // as of `on`
  }

  /**
   * Does the tasks that this session's roles bring it: `session.worker({ ship: async (payload, task) => result })`, one worker
   * per session. Throws InvalidArgument for handlers or options that cannot be used: a kind that no machine declares, a role
   * that the session lacks, a kind of its roles without a handler.
   */
  worker(handlers: WorkerHandlers<Machines[number]>, options: WorkerOptions = {}): Worker {
    const { hub, handlers: requests, machines, roles, core, deadlineMs } = this.parts
    const usable = orThrow('options', () => checkWorkerOptions(options))
    const { leaseMs } = usable
    const kinds = orThrow('handlers', () => workerKinds(handlers, { machines, roles, leaseMs }))
    if (this.hasWorker) throw new InvalidArgument('handlers', 'come too late: this session has a worker')
    this.hasWorker = true
    const worker = new Worker({
      ...usable,
      kinds,
      deadlineMs,
      clock: hub.environment.clock,
      callbacks: hub.callbacks,
      tell: (command, input, call) => this.execute('task', command, input, call),
      abandon: (requestId) => core.window.abandon(requestId),
    })
    // The session layer made the payload.
    requests.on('task', ({ payload }) => worker.receive(payload as TaskAssignment))
    requests.whenStopped(worker.sessionEnded)
    return worker
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
    this.parts.hub.close('DETACHED')
    return token
  }

  /** Sends a query. */
  private ask({ deadlineMs, ...call }: Omit<CheckedQuery, 'after'>, done: (outcome: QueryOutcome) => void): void {
    const { core, hub } = this.parts
    const { index, incarnation } = call.consistency === 'sequential' ? this.seen : { index: 0, incarnation: 0 }
    hub.query({ ...call, channel: core.channel, incarnation, minIndex: index }, deadlineMs, (raw) => {
      if (raw.kind === 'ok') this.see(raw.index, raw.incarnation)
      done(decoded(() => queryOutcome(raw)) ?? { kind: 'failed', code: 'MALFORMED_FRAME' })
    })
  }

  /** Waits for the outcome of a command, which this session has seen then; `then` hears null or why that cannot be. */
  private afterCommand(
    requestId: number,
    deadlineMs: number,
    then: (code: string | null, leftMs: number) => void,
  ): void {
    const { core, hub } = this.parts
    const { window } = core
    if (requestId >= window.nextRequestId) return then('UNKNOWN_REQUEST', 0)
    const unknown = window.unknownCode(requestId)
    if (unknown !== null) return then(unknown, 0)
    const { clock } = hub.environment
    const deadlineAt = clock.nowMs() + deadlineMs
    let waits = true
    const end = (code: string | null): void => {
      if (!waits) return
      waits = false
      timer.cancel()
      then(code, Math.max(0, deadlineAt - clock.nowMs()))
    }
    const timer = clock.setTimer(deadlineMs, () => end('DEADLINE_EXCEEDED'))
    const follows = window.follow(requestId, (raw) => end(raw.kind === 'unknown' ? raw.code : null))
    if (!follows) end(null)
  }

  /** The outcome of a command that this process did not send, or of which it knows no more. */
  private resolveEarlier(requestId: number, deadlineMs: number, done: (outcome: CommandOutcome) => void): void {
    const { core, hub } = this.parts
    const { token, endedBy, firstOwnId, window, channel } = core
    if (endedBy !== '') return done({ kind: 'unknown', requestId, code: endedBy })
    const ownOrNone = requestId >= firstOwnId && requestId < window.nextRequestId
    if (firstOwnId === 0 || token === null || ownOrNone || !Number.isSafeInteger(requestId) || requestId < 1)
      return done({ kind: 'unknown', requestId, code: 'UNKNOWN_REQUEST' })
    const attach = { index: token.epoch, incarnation: token.incarnation }
    hub.query({ channel, ...earlierOutcomeQuery(requestId, attach) }, deadlineMs, (raw) => {
      const malformed = { kind: 'unknown', requestId, code: 'MALFORMED_FRAME' } as const
      const outcome = decoded(() => earlierOutcome(raw, requestId)) ?? malformed
      if (outcome.kind === 'ok' || outcome.kind === 'rejected') this.see(outcome.index, attach.incarnation)
      done(outcome)
    })
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
