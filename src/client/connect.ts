import type { Value } from '../codec/value/value.ts'
import { type ErrorScope, explainError } from '../protocol/errors.ts'
import { type CheckedConnect, checkConnect } from './check/check-connect.ts'
import { checked, type InvalidArgument } from './check/invalid-argument.ts'
import type { ConnectOptions } from './connect-options.ts'
import { embeddedEnvironment, nodeEnvironment } from './connection/environment.ts'
import { inProcessDial } from './connection/in-process.ts'
import type { ClientEnvironment, Dial } from './connection/ports.ts'
import { ClientSession } from './session/client-session.ts'
import { MultiSession } from './session/multi-session.ts'
import { RequestHandlers } from './session/request-handlers.ts'
import type { SessionEvents } from './session/session-events.ts'
import type { MachineLike } from './session/typed-machines.ts'

/** Why `connect` failed; `code` is of scope `open`, `attach` or `client` in the registry of errors. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly code: string
  /** Of a refusal; `{ field, problem }` where an option cannot be used. */
  readonly details: Value
  /** `scopes`: where the code is looked up, in this order; one code may mean different things in several. */
  constructor(code: string, details: Value, { hint, scopes }: { hint: string; scopes: readonly ErrorScope[] }) {
    const entry = scopes.map((scope) => explainError(scope, code)).find((found) => found !== null)
    super([code, entry?.cause, entry?.cure, hint].filter((part) => part !== undefined && part !== '').join(' '))
    this.code = code
    this.details = details
  }
}

/** What is refused here, before anybody was asked, is of the library's own scope first. */
const LOCAL: readonly ErrorScope[] = ['client', 'open']
const OPENING: readonly ErrorScope[] = ['open', 'attach', 'client']
const TAKING_UP: readonly ErrorScope[] = ['attach', 'client']

/**
 * Opens a session (or takes one up). Rejects with ConnectError when an option cannot be used, when the server refuses, or
 * when it takes too long.
 */
export async function connect<const Machines extends readonly MachineLike[] = readonly []>(
  options: ConnectOptions<Machines>,
): Promise<ClientSession<Machines>> {
  const usable = checked('options', () => checkConnect(options))
  if (!usable.ok) throw refusal(usable.error)
  const given = usable.value
  const environment = await environmentOf(given)
  return new Promise((resolve, reject) => {
    const hub = new MultiSession({ environment, endpoints: given.endpoints })
    const handlers = new RequestHandlers({ ...given.callbacks, clock: environment.clock, callbacks: hub.callbacks })
    const scopes = given.settings.resume === null ? OPENING : TAKING_UP
    let settled = false
    const fail = (code: string, details: Value): void => {
      if (settled) return
      settled = true
      timer.cancel()
      const hint = hub.lastFailure === '' ? '' : `(${hub.lastFailure})`
      hub.close()
      reject(new ConnectError(code, details, { hint, scopes }))
    }
    const timer = environment.clock.setTimer(given.connectDeadlineMs, () =>
      fail(hub.ready ? 'DEADLINE_EXCEEDED' : 'NO_LEADER', null),
    )
    const core = hub.openSession(given.settings, {
      ...eventsOf(given, hub, handlers),
      onReady: () => {
        if (settled) return
        settled = true
        timer.cancel()
        const { machines, deadlineMs, settings } = given
        const roles = settings.resume === null ? settings.roles : null
        resolve(new ClientSession({ hub, core, handlers, machines, roles, deadlineMs }))
      },
      onRefused: fail,
      onLost: (reason) => {
        const handedOver = settled
        fail(reason, null)
        handlers.stop()
        // A lost session needs no connection, and an open one would keep the process alive.
        hub.close(reason)
        const { onSessionLost } = given.callbacks
        // Nobody has a session that `connect` rejects for.
        if (handedOver && onSessionLost !== undefined) hub.callbacks.call('onSessionLost', () => onSessionLost(reason))
      },
    })
  })
}

/** What a session may hear of itself while it lives. */
function eventsOf(
  { callbacks }: CheckedConnect<readonly MachineLike[]>,
  hub: MultiSession,
  handlers: RequestHandlers,
): Pick<SessionEvents, 'onSuspended' | 'onResumed' | 'onHandlerError' | 'onServerRequest'> {
  const { onSuspended, onResumed } = callbacks
  return {
    onSuspended: () => hub.callbacks.call('onSuspended', () => onSuspended?.()),
    onResumed: () => hub.callbacks.call('onResumed', () => onResumed?.()),
    onHandlerError: handlers.failed,
    onServerRequest: handlers.receive,
  }
}

function refusal({ code, field, problem }: InvalidArgument): ConnectError {
  return new ConnectError(code, { field, problem }, { hint: `(${field} ${problem})`, scopes: LOCAL })
}

async function environmentOf(options: CheckedConnect<readonly MachineLike[]>): Promise<ClientEnvironment> {
  const { embedded, environment } = options
  if (environment !== null) return environment
  if (embedded !== null) return embeddedEnvironment(inProcessDial(() => embedded))
  return nodeEnvironment(await grpcDial())
}

/** gRPC is loaded only where it is used: an embedded client needs none of it. */
async function grpcDial(): Promise<Dial> {
  return (await import('./connection/grpc.ts')).dialGrpc
}
