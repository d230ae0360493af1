import { callback, fieldsOf, refuse } from '../check/fields.ts'
import { InvalidArgument } from '../check/invalid-argument.ts'
import type { MachineLike } from '../session/typed-machines.ts'
import type { TaskHandler } from './typed-tasks.ts'

/** What takes tasks of one kind, as the server names it: the kind without its machine. */
export interface WorkerKind {
  /** Whose tasks the handler is for; null: not known here. */
  readonly machine: string | null
  readonly handler: TaskHandler
  /** How long an attempt lasts, ms; null: not known here. */
  readonly leaseMs: number | null
}

/** What the kinds are read from. */
export interface WorkerKindsOptions {
  readonly machines: readonly MachineLike[]
  /** Roles that the session was opened with; null: it was taken up, and they are not known. */
  readonly roles: readonly string[] | null
  /** For kinds whose machine was not given; null: not known. */
  readonly leaseMs: number | null
}

interface Declared {
  readonly machine: string
  readonly kind: string
  readonly role: string
  readonly leaseMs: number
}

/**
 * The handlers by kind. Throws InvalidArgument for a kind that no machine declares or that two declare, for one whose role the
 * session lacks, and for roles that would bring it tasks without a handler: those would use up their attempts here.
 */
export function workerKinds(handlers: unknown, options: WorkerKindsOptions): ReadonlyMap<string, WorkerKind> {
  const declared = options.machines.flatMap(declaredBy)
  const kinds = new Map<string, WorkerKind>()
  for (const [name, handler] of Object.entries(fieldsOf(handlers, 'handlers'))) {
    const field = `handlers.${name}`
    callback(handler, field)
    const task = declared.length === 0 ? null : declaredAs(name, declared)
    const kind = task?.kind ?? name
    if (kinds.has(kind)) {
      throw new InvalidArgument(field, `has the kind ${kind} of another handler, and a task does not say whose it is`)
    }
    if (task !== null && options.roles?.includes(task.role) === false) {
      throw new InvalidArgument(field, `needs the role ${task.role}: connect with roles: ['${task.role}']`)
    }
    const machine = task?.machine ?? null
    kinds.set(kind, { machine, handler: handler as TaskHandler, leaseMs: task?.leaseMs ?? options.leaseMs })
  }
  if (kinds.size === 0) refuse('handlers', 'must have a handler', handlers)
  for (const { kind, role, machine } of declared) {
    // A task names its kind alone: of two machines with one kind, this session would do the other one's with this handler.
    if (kinds.get(kind)?.machine === machine || options.roles?.includes(role) !== true) continue
    throw new InvalidArgument(
      'handlers',
      `lacks ${machine}.${kind}: a session with the role ${role} is given such tasks`,
    )
  }
  return kinds
}

/** The one kind that a handler's name stands for. */
function declaredAs(name: string, declared: readonly Declared[]): Declared {
  const field = `handlers.${name}`
  const found = declared.filter(({ machine, kind }) => kind === name || `${machine}.${kind}` === name)
  const [only, ...more] = found
  if (only === undefined) {
    const names = declared.map(({ kind }) => kind).join(', ')
    throw new InvalidArgument(field, `is no kind of task of the machines that connect was given; they have: ${names}`)
  }
  if (more.length > 0) {
    const names = found.map(({ machine, kind }) => `${machine}.${kind}`).join(' or ')
    throw new InvalidArgument(field, `is a kind of several machines: name it ${names}`)
  }
  return only
}

/** What a definition says of its tasks; the definition is the caller's, so nothing is taken for granted. */
function declaredBy({ name: machine, schema }: MachineLike): readonly Declared[] {
  if (schema === undefined) return []
  const { tasks } = fieldsOf(schema, `machines.${machine}.schema`)
  if (tasks === undefined) return []
  return Object.entries(fieldsOf(tasks, `machines.${machine}.tasks`)).map(([kind, given]) => {
    const field = `machines.${machine}.tasks.${kind}`
    const { role, leaseMs } = fieldsOf(given, field)
    if (typeof role !== 'string') refuse(`${field}.role`, 'must be a text', role)
    if (typeof leaseMs !== 'number') refuse(`${field}.leaseMs`, 'must be milliseconds', leaseMs)
    return { machine, kind, role, leaseMs }
  })
}
