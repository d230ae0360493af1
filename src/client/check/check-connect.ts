import { parseHostPort } from '../../base/host-port.ts'
import type { ConnectOptions } from '../connect-options.ts'
import type { InProcessServer } from '../connection/in-process.ts'
import type { ClientEnvironment } from '../connection/ports.ts'
import type { SessionSettings } from '../session/session-settings.ts'
import type { MachineSchema } from '../../machine/index.ts'
import type { MachineLike } from '../session/typed-machines.ts'
import { checkSettings } from './check-settings.ts'
import { callback, fieldsOf, list, name, optional, refuse, text, waitMs } from './fields.ts'

/** What `connect` was given, read once into a copy, defaults filled in. */
export interface CheckedConnect<Machines extends readonly MachineLike[]> {
  readonly endpoints: readonly string[]
  /** Null: gRPC or `environment`. */
  readonly embedded: InProcessServer | null
  readonly environment: ClientEnvironment | null
  readonly settings: SessionSettings
  readonly machines: Machines
  readonly deadlineMs: number
  readonly connectDeadlineMs: number
  readonly callbacks: ConnectCallbacks
}

/** The callbacks of `ConnectOptions`, as far as they were given. */
export type ConnectCallbacks = Pick<ConnectOptions<readonly MachineLike[]>, (typeof CALLBACKS)[number]>

const CALLBACKS = ['onSessionLost', 'onSuspended', 'onResumed', 'onHandlerError', 'onUnhandledRequest'] as const
const DEADLINE_MS = 10_000
const TIMEOUT_MS = 30_000
const ENDPOINTS_MAX = 64
const ENDPOINT_CHARS_MAX = 1024
const MACHINES_MAX = 1024

/** Throws InvalidArgument with the field, or what the options' own getters throw. */
export function checkConnect<Machines extends readonly MachineLike[]>(
  given: ConnectOptions<Machines>,
): CheckedConnect<Machines> {
  const options = fieldsOf(given, 'options')
  const embedded = optional(options['embedded'], 'embedded', { read: checkEmbedded, fallback: null })
  const environment = optional(options['environment'], 'environment', { read: checkEnvironment, fallback: null })
  // An environment of one's own may name nodes as it likes.
  const endpoint = environment === null ? checkEndpoint : checkNodeName
  const endpoints =
    embedded !== null || environment !== null ? (options['endpoints'] ?? ['embedded']) : options['endpoints']
  return {
    endpoints: embedded === null ? checkEndpoints(endpoints, endpoint) : ['embedded'],
    embedded,
    environment,
    settings: checkSettings(settingsOf(options)),
    // The same definitions, as far as the library reads them.
    machines: optional(options['machines'], 'machines', {
      read: checkMachines,
      fallback: [],
    }) as readonly MachineLike[] as Machines,
    deadlineMs: optional(options['deadlineMs'], 'deadlineMs', { read: waitMs, fallback: DEADLINE_MS }),
    connectDeadlineMs: optional(options['connectDeadlineMs'], 'connectDeadlineMs', {
      read: waitMs,
      fallback: DEADLINE_MS,
    }),
    callbacks: checkCallbacks(options),
  }
}

/** Refuses what is no list of nodes to dial. */
export function checkEndpoints(value: unknown, item: (value: unknown, field: string) => string): readonly string[] {
  return list(value, 'endpoints', { least: 1, most: ENDPOINTS_MAX, item })
}

/** A node as a dial of one's own may name it. */
export function checkNodeName(value: unknown, field: string): string {
  return text(value, field, [1, ENDPOINT_CHARS_MAX])
}

/** The world of a library that does not use the process's own. */
export function checkEnvironment(value: unknown, field: string): ClientEnvironment {
  const { dial, clock, random, randomBytes, warn } = fieldsOf(value, field)
  const { nowMs, setTimer, defer } = fieldsOf(clock, `${field}.clock`)
  const { float } = fieldsOf(random, `${field}.random`)
  callback(dial, `${field}.dial`)
  callback(nowMs, `${field}.clock.nowMs`)
  callback(setTimer, `${field}.clock.setTimer`)
  callback(defer, `${field}.clock.defer`)
  callback(float, `${field}.random.float`)
  callback(randomBytes, `${field}.randomBytes`)
  if (warn !== undefined) callback(warn, `${field}.warn`)
  return value as ClientEnvironment // its parts were checked one by one
}

function settingsOf(options: { readonly [key: string]: unknown }): {
  readonly [Key in keyof SessionSettings]: unknown
} {
  const or = (key: string, fallback: unknown): unknown => (options[key] === undefined ? fallback : options[key])
  return {
    principal: options['principal'],
    roles: or('roles', []),
    capabilities: or('capabilities', {}),
    name: or('name', ''),
    timeoutMs: or('timeoutMs', TIMEOUT_MS),
    ordered: or('ordered', false),
    resume: or('resume', null),
  }
}

/** `host:port` or `[v6]:port`. */
export function checkEndpoint(value: unknown, field: string): string {
  const endpoint = checkNodeName(value, field)
  if (parseHostPort(endpoint) === null) refuse(field, 'must be host:port or [v6]:port', endpoint)
  return endpoint
}

function checkEmbedded(value: unknown, field: string): InProcessServer {
  callback(fieldsOf(value, field)['accept'], `${field}.accept`)
  return value as InProcessServer // it accepts; what that gives is looked at when it is dialled
}

/** Copies of what `methodsOf` reads: names, and the names of commands and queries. */
function checkMachines(value: unknown, field: string): readonly MachineLike[] {
  return list(value, field, {
    most: MACHINES_MAX,
    item: (each, path) => {
      const { name: named, schema, commands, queries } = fieldsOf(each, path)
      return {
        name: name(named, `${path}.name`),
        commands: namesIn(commands, `${path}.commands`),
        queries: namesIn(queries, `${path}.queries`),
        // A worker reads the tasks in it, and looks at what it reads.
        ...(schema === undefined ? {} : { schema: fieldsOf(schema, `${path}.schema`) as unknown as MachineSchema }),
      }
    },
  })
}

function namesIn(value: unknown, field: string): object {
  return Object.fromEntries(Object.keys(fieldsOf(value, field)).map((key) => [key, true]))
}

function checkCallbacks(options: { readonly [key: string]: unknown }): ConnectCallbacks {
  const given = CALLBACKS.map((key) => [key, options[key]] as const).filter(([, value]) => value !== undefined)
  for (const [key, value] of given) callback(value, key)
  return Object.fromEntries(given)
}
