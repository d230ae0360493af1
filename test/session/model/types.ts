import type { Limits } from '../../../src/codec/entry/payload.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { Reply } from '../../../src/session/state-machine.ts'
import type { ScheduleStep } from '../../../src/codec/entry/payload.ts'
import type { ModelSchedule } from './schedules.ts'
import type { ModelTasks } from './tasks.ts'
import type { ModelWaits } from './waits.ts'

/** What the reference model keeps and is given. */
export interface ModelRequest {
  id: number
  previousId: number
  type: string
  payload: Value
  attempt: number
}

export interface Waiting extends ModelRequest {
  sentAt: number
  droppable: boolean
  key: string | null
  /** Entry that has emitted it. */
  emitted: number
}

export interface Session {
  index: number
  who: string
  timeoutMs: number
  ordered: boolean
  refuse: boolean
  renewed: number
  renewedAt: number
  epoch: number
  nonce: number
  floor: number
  highest: number
  responses: Map<number, { hash: string; reply: Reply & { kind: 'outcome' } }>
  lastId: number
  tailId: number
  acked: number
  outbox: Waiting[]
  resentAt: number
}

export interface Everything {
  sessions: Map<number, Session>
  tombstones: Map<number, { who: string; at: number; reason: string; until: number }>
  user: Map<string, Value>
  timers: Map<string, { dueAt: number; to: number }>
  mail: Map<string, { waiting: Value[]; seq: number }>
  once: Map<string, { value: number; until: number }>
  waits: ModelWaits
  schedules: Map<string, ModelSchedule>
  tasks: ModelTasks
  /** Functions that failed, or were skipped, by the kind of their alert. */
  alerts: Map<string, number>
}

export type ModelEntry =
  | { kind: 'open'; who: string; timeoutMs: number; refuse: boolean; late: boolean; ordered: boolean }
  | { kind: 'attach'; session: number; replaces: number; nonce: number; known: boolean }
  | {
      kind: 'request'
      session: number
      id: number
      lowest: number
      ack: number
      epoch: number
      version: number
      machine: string
      command: string
      input: Value
    }
  | { kind: 'switch'; advances: { machine: string; to: number; schema: string }[] }
  | { kind: 'ack'; session: number; upTo: number; epoch: number }
  | { kind: 'keepAlive'; sessions: number[] }
  | { kind: 'expire'; sessions: { index: number; renewedAtIndex: number }[] }
  | { kind: 'close'; session: number; epoch: number }
  | { kind: 'retry'; session: number }
  | { kind: 'limits'; limits: Limits; basedOn: number }
  | { kind: 'evict'; session: number }
  | { kind: 'move'; move: 'redrive' | 'discard'; letters: number[] }
  | { kind: 'schedules'; steps: readonly ScheduleStep[] }
  | { kind: 'skip'; index: number; part: string }
  | { kind: 'tick' }

/** A session as its open makes it. */
export function newSession(
  { who, timeoutMs, ordered, refuse }: Pick<Session, 'who' | 'timeoutMs' | 'ordered' | 'refuse'>,
  { index, lease, now }: { index: number; lease: number; now: number },
): Session {
  const commands = { floor: 1, highest: 0, responses: new Map<number, never>() }
  const requests = { lastId: 0, tailId: 0, acked: 0, outbox: [], resentAt: now }
  const renewed = { renewed: lease, renewedAt: index, epoch: 0, nonce: -1 }
  return { index, who, timeoutMs, ordered, refuse, ...renewed, ...commands, ...requests }
}

export const refused = (code: string, details: Value = null) => ({ kind: 'refused', code, details }) as Reply

/** Whether another connection has attached to the session since. */
export function fence(session: Session, epoch: number): Reply | null {
  if (epoch === session.epoch) return null
  return epoch < session.epoch ? refused('FENCED', { current: session.epoch }) : refused('INVALID', { reason: 'EPOCH' })
}
