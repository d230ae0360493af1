import { commandOutcome, queryOutcome } from '../../client/calls/call.ts'
import {
  type ClientEnvironment,
  decodeValue,
  dialGrpc,
  encodeValue,
  encodeView,
  nodeEnvironment,
} from '../../client/index.ts'
import { MultiSession } from '../../client/session/multi-session.ts'
import type { SessionCore } from '../../client/session/session-core.ts'
import type { Backend, BackendSession, BackendSessionOptions, WorkerTask } from './backend.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { field, type Outcome, type Plain, textField } from './outcome.ts'

/** Opening a session includes finding the leader. */
const OPEN_MS_MAX = 20_000
/** A command is repeated under its id for this long: longer than any change of leader, so that its outcome is known. */
const COMMAND_MS_MAX = 300_000
const QUERY_MS_MAX = 20_000
const SESSION_TIMEOUT_MS = 30_000

/** A connection to a cluster on which any number of sessions share one stream; by gRPC, unless told otherwise. */
export async function connectBackend(
  endpoints: readonly string[],
  environment: ClientEnvironment = nodeEnvironment(dialGrpc),
): Promise<Backend> {
  return new ClientBackend(new MultiSession({ environment, endpoints }))
}

class ClientBackend implements Backend {
  private readonly hub: MultiSession
  private readonly sessions: SessionCore[] = []
  /** Sessions that ask queries, by their principal. */
  private readonly askers = new Map<string, Promise<SessionCore>>()
  /** Highest index that an answer named: every query sees at least that. */
  private seenIndex = 0

  constructor(hub: MultiSession) {
    this.hub = hub
  }

  async open(options: BackendSessionOptions): Promise<BackendSession> {
    const core = await this.openCore(options)
    return { command: (machine, command, input) => this.command(core, machine, command, input) }
  }

  async query(principal: string, machine: string, query: string, input: Plain): Promise<Outcome> {
    const opening = this.askers.get(principal) ?? this.openCore({ principal, roles: [] })
    this.askers.set(principal, opening)
    const { channel, token } = await opening
    const place = {
      channel,
      consistency: 'sequential',
      incarnation: token?.incarnation ?? 0,
      minIndex: this.seenIndex,
    } as const
    return new Promise((resolve) => {
      this.hub.query({ ...place, machine, query, input: encodeValue(input) }, QUERY_MS_MAX, (raw) => {
        const outcome = queryOutcome(raw)
        resolve(outcome.kind === 'failed' ? { kind: 'unknown', code: outcome.code } : outcome)
      })
    })
  }

  /** Ends the sessions, so that the cluster need not wait for them to expire. */
  async close(): Promise<void> {
    const closed = this.sessions.map((core) => new Promise<boolean>((resolve) => core.closeSession(resolve)))
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, 2000)
    })
    await Promise.race([Promise.all(closed), late])
    clearTimeout(timer)
    this.hub.close()
  }

  private command(core: SessionCore, machine: string, command: string, input: Plain): Promise<Outcome> {
    return new Promise((resolve) => {
      const deadlineAt = this.hub.environment.clock.nowMs() + COMMAND_MS_MAX
      core.enqueue({ machine, command, input: encodeView(input) }, deadlineAt, (raw, requestId) => {
        if (raw.kind === 'ok' || raw.kind === 'rejected') this.seenIndex = Math.max(this.seenIndex, raw.index)
        resolve(commandOutcome(raw, requestId))
      })
    })
  }

  private openCore({ principal, roles, onTask }: BackendSessionOptions): Promise<SessionCore> {
    const { hub } = this
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        core.drop()
        reject(notReached(hub.lastFailure))
      }, OPEN_MS_MAX)
      const fail = (code: string): void => {
        clearTimeout(timer)
        reject(refusedToOpen(principal, code))
      }
      const settings = {
        principal,
        roles,
        capabilities: {},
        name: 'holdfast',
        timeoutMs: SESSION_TIMEOUT_MS,
        ordered: true,
        resume: null,
      }
      const core = hub.openSession(settings, {
        onReady: () => {
          clearTimeout(timer)
          this.sessions.push(core)
          resolve(core)
        },
        onRefused: fail,
        onLost: fail,
        onSuspended: () => undefined,
        onResumed: () => undefined,
        onHandlerError: () => undefined,
        onServerRequest: (request, done) => {
          const task = request.type === 'task' ? taskOf(decodeValue(request.payload)) : null
          if (task !== null) onTask?.(task)
          done(null)
        },
      })
    })
  }
}

/** The payload of a server request that gives a worker a task (domain.md §0.7). */
function taskOf(payload: unknown): WorkerTask | null {
  const [taskId, kind, attempt] = [textField(payload, 'taskId'), textField(payload, 'kind'), field(payload, 'attempt')]
  if (taskId === null || kind === null || typeof attempt !== 'number') return null
  return { taskId, kind, attempt, payload: field(payload, 'payload') }
}

function notReached(failure: string): CommandError {
  const message = `no leader was reached within ${OPEN_MS_MAX / 1000} s${failure === '' ? '' : ` (${failure})`}`
  return new CommandError(
    EXIT.cannotConnect,
    message,
    'Are the nodes running, and are the --endpoints theirs?',
    'NO_LEADER',
  )
}

function refusedToOpen(principal: string, code: string): CommandError {
  const cure = `holdfast explain ${code} says what to do.`
  return new CommandError(EXIT.refused, `the cluster opened no session for ${principal}`, cure, code)
}
