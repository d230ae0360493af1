import type { Value } from '../../codec/value/value.ts'
import type { NameOf, Opened, Parsed, RequestsOf } from '../../machine/index.ts'
import type { TaskOf } from '../worker/typed-tasks.ts'
import type { ReceivedRequest } from './received-request.ts'
import type { MachineLike } from './typed-machines.ts'

/**
 * The hint that `ctx.notify` sends to every session of a principal; what waited in its mailbox comes first. (An alias like the
 * next one, because an interface is no plain data to the compiler, and a typed session would be no session.)
 */
export type Notification = {
  readonly topic: string
  readonly body: Value
  /** Rises by one per notification to the principal. */
  readonly seq: number
}

/** An attempt of a task, assigned to this session; `session.worker` takes them. */
export type TaskAssignment<Kind extends string = string, Payload = Value> = {
  readonly taskId: string
  readonly kind: Kind
  readonly payload: Payload
  /** From 1 on. */
  readonly attempt: number
}

/**
 * What a session with these machines can receive, one member per type: their server requests, tasks and notifications. Without
 * machines any type, with plain data.
 */
export type SessionRequest<Machines extends readonly MachineLike[]> =
  IsTyped<Machines> extends true
    ? RequestOf<Machines[number]> | TaskRequest<Machines[number]> | ReceivedRequest<'notification', Notification>
    : ReceivedRequest

/** The request of a type; every one for `*`. */
export type RequestOfType<Machines extends readonly MachineLike[], Type extends string> =
  IsTyped<Machines> extends true
    ? Type extends '*'
      ? SessionRequest<Machines>
      : Extract<SessionRequest<Machines>, { readonly type: Type }>
    : ReceivedRequest

/** False without machines, and where their names are not known to the compiler. */
export type IsTyped<Machines extends readonly MachineLike[]> = [Machines[number]] extends [never]
  ? false
  : string extends Machines[number]['name']
    ? false
    : true

type RequestOf<Machine> = Machine extends { readonly name: infer Name extends string; readonly schema?: infer Schema }
  ? {
      readonly [Type in NameOf<RequestsOf<Schema>>]: ReceivedRequest<
        `${Name}.${Type}`,
        Opened<Parsed<RequestsOf<Schema>[Type]>>
      >
    }[NameOf<RequestsOf<Schema>>]
  : never

/**
 * A session has what tasks its roles get it, so that of a machine that was not given may be among them; it has another kind.
 */
type TaskRequest<Machine> = [TaskOf<Machine>] extends [never]
  ? ReceivedRequest<'task', TaskAssignment>
  : ReceivedRequest<'task', AssignmentOf<TaskOf<Machine>>>
type AssignmentOf<Task> = Task extends { readonly kind: infer Kind extends string; readonly payload: infer Payload }
  ? TaskAssignment<Kind, Payload>
  : never
