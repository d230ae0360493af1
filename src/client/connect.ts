import type { Value } from '../codec/value/value.ts'
import { explainError } from '../protocol/errors.ts'
import { ClientSession } from './session/client-session.ts'
import { nodeEnvironment } from './connection/environment.ts'
import { type InProcessServer, inProcessDial } from './connection/in-process.ts'
import type { MachineLike } from './session/typed-machines.ts'
import { MultiSession } from './session/multi-session.ts'
import type { LostReason } from './session/session-events.ts'
import type { ClientEnvironment, Dial } from './connection/ports.ts'
import { RequestHandlers, type ReceivedRequest } from './session/request-handlers.ts'
import type { SessionToken } from './session/session-settings.ts'

/** How to connect and whom the session is for; all but `principal` may be left out. */
export interface ConnectOptions<Machines extends readonly MachineLike[]> {
  /** Addresses host:port of any nodes; the leader is found from there. */
  readonly endpoints?: readonly string[]
  /** A node in this process, instead of endpoints. */
  readonly embedded?: InProcessServer
  /** Who acts, `kind:id`, e.g. `user:42`. */
  readonly principal: string
  readonly roles?: readonly string[]
  readonly capabilities?: { readonly [name: string]: Value }
  /** Shown to operators. */
  readonly name?: string
  /** The server ends the session after this long without a sign of life. Default 30 s. */
  readonly timeoutMs?: number
  /** The server refuses a command whose predecessor is missing. Default false. */
  readonly ordered?: boolean
  /** Takes up a session instead of opening one (`session.token` of its last holder). */
  readonly resume?: SessionToken
  /** Definitions whose commands and queries become typed methods. */
  readonly machines?: Machines
  /** Default deadline of commands and queries. Default 10 s. */
  readonly deadlineMs?: number
  /** Time for connecting and opening. Default 10 s. */
  readonly connectDeadlineMs?: number
  /** The session is no more; a new one is never opened silently. */
  readonly onSessionLost?: (reason: LostReason) => void
  readonly onSuspended?: () => void
  readonly onResumed?: () => void
  /** A handler of a server request failed; the request comes again. */
  readonly onHandlerError?: (error: unknown, request: Pick<ReceivedRequest, 'serverRequestId' | 'type'>) => void
  /** Replaces sockets, clocks and randomness: the simulator's. */
  readonly environment?: ClientEnvironment
}

/** Why `connect` failed; `code` is of scope `open`, `attach` or `client` in the registry of errors. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly code: string
  readonly details: Value
  constructor(code: string, details: Value, hint: string) {
    const entry = explainError('open', code) ?? explainError('attach', code) ?? explainError('client', code)
    super([code, entry?.cause, entry?.cure, hint].filter((part) => part !== undefined && part !== '').join(' '))
    this.code = code
    this.details = details
  }
}

const DEADLINE_MS = 10_000
const TIMEOUT_MS = 30_000
const ignore = (): void => {}

/** Opens a session (or takes one up). Rejects with ConnectError when that is refused or takes too long. */
export async function connect<const Machines extends readonly MachineLike[] = readonly []>(
  options: ConnectOptions<Machines>,
): Promise<ClientSession<Machines>> {
  const environment = await environmentOf(options)
  const hub = new MultiSession({ environment, endpoints: options.endpoints ?? ['embedded'] })
  const handlers = new RequestHandlers()
  const deadlineMs = options.connectDeadlineMs ?? DEADLINE_MS
  return new Promise((resolve, reject) => {
    let settled = false
    const fail = (code: string, details: Value): void => {
      if (settled) return
      settled = true
      timer.cancel()
      const hint = hub.lastFailure === '' ? '' : `(${hub.lastFailure})`
      hub.close()
      reject(new ConnectError(code, details, hint))
    }
    const timer = environment.clock.setTimer(deadlineMs, () =>
      fail(hub.ready ? 'DEADLINE_EXCEEDED' : 'NO_LEADER', null),
    )
    const core = hub.openSession(settingsOf(options), {
      onReady: () => {
        if (settled) return
        settled = true
        timer.cancel()
        const machines = options.machines ?? ([] as unknown as Machines)
        resolve(new ClientSession({ hub, core, handlers, machines, deadlineMs: options.deadlineMs ?? DEADLINE_MS }))
      },
      onRefused: fail,
      onLost: (reason) => {
        fail(reason, null)
        handlers.stop()
        // A lost session needs no connection, and an open one would keep the process alive.
        hub.close()
        options.onSessionLost?.(reason)
      },
      onSuspended: options.onSuspended ?? ignore,
      onResumed: options.onResumed ?? ignore,
      onHandlerError: options.onHandlerError ?? ignore,
      onServerRequest: handlers.receive,
    })
  })
}

function settingsOf(options: ConnectOptions<readonly MachineLike[]>) {
  return {
    principal: options.principal,
    roles: options.roles ?? [],
    capabilities: options.capabilities ?? {},
    name: options.name ?? '',
    timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    ordered: options.ordered ?? false,
    resume: options.resume ?? null,
  }
}

async function environmentOf(options: ConnectOptions<readonly MachineLike[]>): Promise<ClientEnvironment> {
  if (options.environment !== undefined) return options.environment
  const { embedded } = options
  if (embedded !== undefined) return nodeEnvironment(inProcessDial(() => embedded))
  return nodeEnvironment(await grpcDial())
}

/** gRPC is loaded only where it is used: an embedded client needs none of it. */
async function grpcDial(): Promise<Dial> {
  return (await import('./connection/grpc.ts')).dialGrpc
}
