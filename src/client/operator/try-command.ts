import { decodeValue } from '../../codec/value/decode.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { Value } from '../../codec/value/value.ts'
import { askLeader } from './ask-leader.ts'
import type { ScheduleLine } from './schedules.ts'
import type { AnsweredBy } from './sessions.ts'

/** A command to try, and whose session it would come from. */
export interface TriedCommand {
  readonly machine: string
  readonly command: string
  readonly input: Value
  readonly principal: string
  readonly roles: readonly string[]
}

/** What a command would have done as the entry `index`. Values are undefined where there is none. */
export interface CommandTrial {
  readonly by: AnsweredBy
  readonly index: number
  readonly timeMs: number
  /** Undefined: rejected, with code and details. */
  readonly value: Value | undefined
  readonly code: string
  readonly details: Value | undefined
  /** What the machine threw; '': nothing. */
  readonly error: string
  readonly changes: readonly {
    readonly key: string
    readonly before: Value | undefined
    readonly after: Value | undefined
  }[]
  readonly requests: readonly { readonly session: string; readonly type: string; readonly payload: Value | undefined }[]
  readonly notifications: readonly {
    readonly principal: string
    readonly topic: string
    readonly body: Value | undefined
  }[]
  /** `dueMs` 0: cancelled. */
  readonly timers: readonly {
    readonly machine: string
    readonly name: string
    readonly dueMs: number
    readonly payload: Value | undefined
  }[]
  readonly tasks: readonly {
    readonly id: string
    readonly machine: string
    readonly kind: string
    readonly role: string
    readonly payload: Value | undefined
  }[]
  readonly cancelledTasks: readonly string[]
  /** `after` null: cancelled. */
  readonly schedules: readonly {
    readonly machine: string
    readonly name: string
    readonly after: ScheduleLine | null
  }[]
  readonly alerts: readonly { readonly alert: string; readonly details: Value | undefined }[]
  /** Something was too much for one answer. */
  readonly shortened: boolean
}

/** Tries a command at the leader, without an entry. Rejects with OperatorError. */
export async function fetchTrial(endpoints: readonly string[], tried: TriedCommand): Promise<CommandTrial> {
  const request = { ...tried, input: encodeValue(tried.input) }
  return decodedIn(await askLeader(endpoints, { method: 'TryCommand', request })) as CommandTrial
}

/** The message with all of its bytes decoded: each is a value, or nothing. */
function decodedIn(message: unknown): unknown {
  if (message instanceof Uint8Array) return message.length === 0 ? undefined : decodeValue(message)
  if (Array.isArray(message)) return message.map(decodedIn)
  if (typeof message !== 'object' || message === null) return message
  return Object.fromEntries(Object.entries(message).map(([name, member]) => [name, decodedIn(member)]))
}
