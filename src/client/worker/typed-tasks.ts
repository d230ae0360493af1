import type { Value } from '../../codec/value/value.ts'
import type { InputOf, NameOf, Opened, Parsed, TasksOf } from '../../machine/index.ts'

/** The kinds of task of a machine's definition, one member each; never where it declares none. */
export type TaskOf<Machine> = Machine extends {
  readonly name: infer Name extends string
  readonly schema?: infer Schema
}
  ? {
      readonly [Kind in NameOf<TasksOf<Schema>>]: {
        readonly machine: Name
        readonly kind: Kind
        readonly payload: Opened<Parsed<TasksOf<Schema>[Kind]['payload']>>
        readonly result: InputOf<{ readonly input: TasksOf<Schema>[Kind]['result'] }>
      }
    }[NameOf<TasksOf<Schema>>]
  : never

/** One attempt of a task, as its handler sees it. `taskId` is unique for ever: an idempotency key for the world outside. */
export interface WorkerTask<Kind extends string = string> {
  readonly taskId: string
  readonly kind: Kind
  /** From 1 on. */
  readonly attempt: number
  /**
   * Aborted, with a TaskAborted, when the attempt is no longer this worker's: the lease is over, the session is, or the worker
   * was stopped and does not wait any more. A result may be given all the same: the first valid one is taken while the task is
   * open.
   */
  readonly signal: AbortSignal
}

/** Does one attempt and gives the result, or throws: then the attempt has failed. What it gives is checked by the machine. */
export type TaskHandler<Payload = Value, Result = Value | void, Kind extends string = string> = (
  payload: Payload,
  task: WorkerTask<Kind>,
) => Result | Promise<Result>

/**
 * A handler per kind of task that the machines declare, under its name; under `machine.kind` where several machines have a
 * kind of that name, and wherever one likes. Without machines any kind, with plain data.
 */
export type WorkerHandlers<Machine> = [Machine] extends [never]
  ? { readonly [kind: string]: TaskHandler }
  : string extends NameIn<Machine>
    ? { readonly [kind: string]: TaskHandler }
    : HandlersOf<TaskOf<Machine>>

type NameIn<Machine> = Machine extends { readonly name: infer Name } ? Name : never

interface AnyTask {
  readonly machine: string
  readonly kind: string
  readonly payload: unknown
  readonly result: unknown
}

type HandlersOf<Tasks extends AnyTask> = {
  readonly [Task in Tasks as OwnName<Task, Tasks>]?: TaskHandler<Task['payload'], Task['result'], Task['kind']>
} & {
  readonly [Task in Tasks as `${Task['machine']}.${Task['kind']}`]?: TaskHandler<
    Task['payload'],
    Task['result'],
    Task['kind']
  >
}

/** Its kind, unless another machine has one of the same name. */
type OwnName<Task extends AnyTask, Tasks extends AnyTask> = [
  Exclude<Extract<Tasks, { readonly kind: Task['kind'] }>['machine'], Task['machine']>,
] extends [never]
  ? Task['kind']
  : never
