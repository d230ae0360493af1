import type { Value } from '../../client/index.ts'

/** Somebody who takes part: a session of the cluster, opened for the whole flow. */
export interface Member {
  /** Kind and name, for example `user:ann`; a player may make the name its own. */
  readonly principal: string
  readonly roles: readonly string[]
  /** For a newcomer: who that is. */
  readonly is: string
}

/** What an answer and what follows from it must be; more may be there than is named. */
export interface Promised {
  /** It succeeds with these fields. */
  readonly gives?: Value
  /** It is refused with this code, and `details` has these fields. */
  readonly refused?: string
  readonly details?: Value
  /** Fields of the value that are worth showing although nobody knows them before: ids. */
  readonly shows?: readonly string[]
  /** What members are told because of it: topics with fields of the body, per member in this order. */
  readonly told?: { readonly [member: string]: readonly Told[] }
}

export type Told = readonly [topic: string, body?: Value]

/** A canonical flow of a machine (domain.md §1.9, §2.9, §3.10): the one source of what is shown, and of what is tested. */
export interface Flow {
  readonly title: string
  readonly cast: { readonly [member: string]: Member }
  /** A query that every member may ask: whatever the cluster told before its answer has come by then. */
  readonly last: string
  play(stage: Stage): Promise<void>
}

/** What a flow is played on. Whatever is not as promised throws a `Difference`. */
export interface Stage {
  /** The cluster's time, about; ms since the Unix epoch. */
  readonly now: number
  /** Makes an id that comes from outside, say of a provider, this run's own. */
  unique(id: string): string
  /** The principal of a member. */
  principal(member: string): string
  /** The words before a step; `step` is its number in the design. */
  scene(step: string, says: string): void
  /** A member's command, `machine.command`; gives its value, or the details of the refusal that was promised. */
  act(member: string, name: string, input: Value, promised: Promised): Promise<Value>
  /** The same of a query. */
  ask(member: string, name: string, input: Value, promised: Promised): Promise<Value>
  /** The next thing that a worker is told must be a task of this kind: it completes it. */
  work(member: string, kind: string, result: Value | ((payload: Value) => Value), promised?: Promised): Promise<void>
}

/** What a player sees, in order: a line of `--json`. */
export type Seen =
  | { readonly kind: 'scene'; readonly step: string; readonly says: string }
  | {
      readonly kind: 'command' | 'query'
      readonly step: string
      readonly member: string
      readonly name: string
      readonly input: Value
      readonly answer: Answer
    }
  | {
      readonly kind: 'task'
      readonly step: string
      readonly member: string
      readonly task: string
      readonly attempt: number
      readonly payload: Value
    }
  | {
      readonly kind: 'told'
      readonly step: string
      readonly member: string
      readonly topic: string
      readonly body: Value
    }

/** How a command or a query ended. `failed`: nobody can tell, or it was not asked. */
export type Answer =
  | { readonly kind: 'ok'; readonly value: Value }
  | { readonly kind: 'refused'; readonly code: string; readonly details: Value }
  | { readonly kind: 'failed'; readonly code: string }

/** What a member is told by the cluster. */
export type Heard =
  | { readonly kind: 'notification'; readonly topic: string; readonly body: Value }
  | {
      readonly kind: 'task'
      readonly taskId: string
      readonly task: string
      readonly attempt: number
      readonly payload: Value
    }

/** A member's own session: what a player plays with, whether over gRPC or in a test without a cluster. */
export interface Side {
  command(machine: string, command: string, input: Value): Promise<Answer>
  query(machine: string, query: string, input: Value): Promise<Answer>
  /** The next server request, which is acknowledged with that; null when none comes. */
  next(): Promise<Heard | null>
  /** What came and was not asked for yet. */
  rest(): readonly Heard[]
}

/** Something was not as promised. */
export class Difference extends Error {
  override readonly name = 'Difference'
}
