import type { z } from 'zod'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { BareMachine } from './bare.ts'
import type { ErasedBehaviour, MachineDefinition } from './define-machine.ts'
import { type Description, describeSchema } from './describe-schema.ts'
import { declaredIndexes, describeIndex } from './indexes.ts'

/** Which machine a build has (docs/decisions/machine-identity.md). */
export interface MachineIdentity {
  readonly name: string
  /** From 1 on. Together with `schema` it is binding: the log names both, and a node that has others does not apply. */
  readonly version: number
  /** SHA-256, 64 hex digits, of what the machine declares; '' for a bare machine that declares nothing. */
  readonly schema: string
  /** SHA-256, 64 hex digits, of the source text of its handlers: shown and warned about, never binding. */
  readonly code: string
}

/**
 * The identity of a machine. `schema` covers what it stores, takes, answers, emits, refuses with and waits for; not queries,
 * descriptions, messages, or the order in which anything was declared.
 */
export function identityOf(machine: MachineDefinition | BareMachine): MachineIdentity {
  const known = IDENTITIES.get(machine)
  if (known !== undefined) return known
  const identity = newIdentity(machine)
  IDENTITIES.set(machine, identity)
  return identity
}

/** PERF: an identity walks the whole schema, which takes 4 ms, and each simulated node mounts the same definitions again. */
const IDENTITIES = new WeakMap<MachineDefinition | BareMachine, MachineIdentity>()

function newIdentity(machine: MachineDefinition | BareMachine): MachineIdentity {
  const { name, version = 1 } = machine
  const description = descriptionOf(machine)
  const schema = description === null ? '' : digest(description)
  const code = machine.kind === 'definition' ? codeOf(machine.behaviour) : methodsOf(machine.machine)
  return { name, version, schema, code: digest(code) }
}

/** What `schema` of the identity is the digest of; null for a bare machine that declares nothing. */
export function descriptionOf(machine: MachineDefinition | BareMachine): Description | null {
  if (machine.kind === 'definition') return describeMachine(machine)
  const { commands } = machine
  return commands === undefined ? null : { commands: each(commands, (input) => describe(input)) }
}

function describeMachine({ name, schema, commands, behaviour }: MachineDefinition): Description {
  const { state, errors = {}, requests = {}, timers = {}, tasks = {}, events = {}, waits = {}, schedules = {} } = schema
  const heard = subscriptionsOf(behaviour)
  return {
    // An index is what it orders by; its name is a word of the code, and a table without any has the fingerprint it had.
    state: each(state, (table, tableName) => {
      const indexes = declaredIndexes(name, tableName, table).map(describeIndex)
      return [describe(table.key), describe(table.row), ...(indexes.length === 0 ? [] : [indexes])]
    }),
    commands: each(commands, ({ input, output }) => [describe(input), describe(output)]),
    errors: each(errors, describe),
    requests: each(requests, describe),
    timers: each(timers, describe),
    tasks: each(tasks, ({ role, leaseMs, maxAttempts, backoffMs, payload, result }) => ({
      role,
      leaseMs,
      maxAttempts,
      backoffMs,
      payload: describe(payload),
      // Apply itself parses it (run/kit-machine.ts), so here a default is part of what an entry means.
      result: describeSchema(result, { values: true }),
    })),
    // Only where there are some, so that a machine without them has the fingerprint it had before there were any.
    ...(Object.keys(events).length === 0 ? {} : { events: each(events, describe) }),
    ...(Object.keys(waits).length === 0 ? {} : { waits: each(waits, describe) }),
    ...(Object.keys(schedules).length === 0 ? {} : { schedules: each(schedules, describe) }),
    ...(heard.length === 0 ? {} : { on: heard.map(([name]) => name) }),
    ...(schema.logic === undefined ? {} : { logic: schema.logic }),
  }
}

/** Defaults of what the leader parses are in the log already filled in: their values may differ between nodes. */
const describe = (schema: z.core.$ZodType): Description => describeSchema(schema, { values: false })

/** The events that it listens to, `machine.event`, by name, with the source text of what it does about each. */
function subscriptionsOf({ on = [] }: ErasedBehaviour): readonly (readonly [name: string, code: string])[] {
  const found = on.map(({ machine, event, handle }) => [`${machine}.${event}`, String(handle)] as const)
  return found.sort(([left], [right]) => (left < right ? -1 : 1))
}

/** The source text of everything that apply runs. Queries change nothing. */
function codeOf(behaviour: ErasedBehaviour): Description {
  const { commands, timers, waits, schedules, tasks, migrations, source, ...rest } = behaviour
  const heard = subscriptionsOf(behaviour)
  return {
    commands: each(commands, ({ handler }) => String(handler)),
    timers: each(timers ?? {}, String),
    tasks: each(tasks ?? {}, ({ onResult, onFailed }) => [String(onResult), String(onFailed)]),
    hooks: [rest.onSessionCreated, rest.onSessionExpired, rest.onDeadLetter].map(String),
    migrations: each(migrations ?? {}, String),
    ...(waits === undefined ? {} : { waits: each(waits, String) }),
    ...(schedules === undefined ? {} : { schedules: each(schedules, String) }),
    ...(heard.length === 0 ? {} : { on: heard }),
    ...(source === undefined ? {} : { source }),
  }
}

/** The methods of an object and of its classes. */
function methodsOf(machine: object): Description {
  const found = new Map<string, string>()
  for (let owner: object | null = machine; owner !== null && owner !== Object.prototype; ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner))) {
      if (typeof value === 'function' && !found.has(name)) found.set(name, String(value))
    }
    owner = Object.getPrototypeOf(owner) as object | null
  }
  return each(Object.fromEntries(found), (text) => text)
}

/** Members in the order of their names. */
function each<Member>(
  members: { readonly [name: string]: Member },
  describeMember: (member: Member, name: string) => Description,
): Description {
  return Object.keys(members)
    .sort()
    .map((name) => [name, describeMember(members[name] as Member, name)])
}

function digest(description: Description): string {
  return sessionCodec.sha256Hex(JSON.stringify(description))
}
