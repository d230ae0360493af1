import type { z } from 'zod'
import { isPrincipal } from '../../codec/entry/names.ts'
import { shownKey } from '../../codec/rows/shown-key.ts'
import { encodeWalked } from '../../codec/value/encode-walked.ts'
import type { Value } from '../../codec/value/value.ts'
import { parseRefusal } from '../../gateway/refusal.ts'
import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { CommandTrial } from '../../session/state-machine.ts'
import { TASK_MACHINE } from '../../session/tables/tasks.ts'
import { PAGE_LINES_MAX, type tryCommandRequest } from './operator-requests.ts'
import { scheduleLine } from './schedule-answers.ts'
import type { OperatorReply } from './operator-reply.ts'

/** Bytes of values in one answer: half of what a client takes. */
const VALUE_BYTES_MAX = 4 * 1024 * 1024

/** Parses the command as an attached session's would be, and tries it. */
export function answerTryCommand(
  { node, options }: SessionGateway,
  request: z.infer<typeof tryCommandRequest>,
  reply: OperatorReply,
): void {
  const { machine, command, input, principal, roles } = request
  const max = node.machine.limits.commandBytesMax
  if (input.length > max) return reply.refuse('COMMAND_TOO_LARGE', { bytes: input.length, max })
  if (!isPrincipal(principal)) return reply.refuse('PRINCIPAL_INVALID', { principal })
  // What workers say of their tasks is the session layer's own, and means nothing without the worker's session.
  if (machine === TASK_MACHINE) return reply.refuse('UNKNOWN_MACHINE', { machine })
  const active = node.machine.activeVersion(machine)
  const parsed = options.parse(machine, command, input, active)
  if (!parsed.ok) {
    const { code, details } = parseRefusal(parsed)
    return reply.refuse(code, details)
  }
  if (parsed.version !== active) return reply.refuse('MACHINE_NOT_ACTIVE', { machine, active })
  // What it would do there nobody can tell before the entry is at its end.
  if (node.machine.underway) return reply.refuse('APPLY_BEHIND')
  const value = options.codec.decodeInput(parsed.input)
  const now = Math.floor(node.logNow())
  reply.answer(trialMessage(node.machine.tryCommand({ machine, command, input: value, principal, roles, now })))
}

function trialMessage(trial: CommandTrial): object {
  const { outcome } = trial
  const room = new Room()
  const said =
    outcome.kind === 'value'
      ? { value: room.encoded(outcome.value) }
      : { code: outcome.code, details: room.encoded(outcome.details) }
  const lists = {
    changes: room.some(trial.changes, ({ key, before, after }) => {
      return { key: shownKey(key), before: room.maybe(before), after: room.maybe(after) }
    }),
    requests: room.some(trial.requests, (asked) => ({ ...asked, payload: room.encoded(asked.payload) })),
    notifications: room.some(trial.notifications, ({ principal, topic, body }) => {
      return { principal, topic, body: room.encoded(body) }
    }),
    timers: room.some(trial.timers, ({ dueAt, payload, ...timer }) => {
      return { ...timer, dueMs: dueAt ?? 0, payload: room.encoded(payload) }
    }),
    tasks: room.some(trial.tasks, ({ taskId, machine, kind, role, payload }) => {
      return { id: taskId, machine, kind, role, payload: room.encoded(payload) }
    }),
    schedules: room.some(trial.schedules, ({ machine, name, after }) => {
      return { machine, name, after: after === null ? null : scheduleLine(after) }
    }),
    cancelledTasks: room.some(trial.cancelledTasks, (task) => task),
    alerts: room.some(trial.alerts, ({ alert, details }) => ({ alert, details: room.encoded(details) })),
  }
  return {
    index: trial.index,
    timeMs: trial.now,
    ...said,
    error: trial.error ?? '',
    ...lists,
    shortened: room.shortened,
  }
}

/** Encodes what there is room for in one answer. */
class Room {
  shortened = false
  private bytes = 0

  /** As many as a list may have, and as long as there is room. */
  some<Item, Line>(items: readonly Item[], lineOf: (item: Item) => Line): Line[] {
    const lines: Line[] = []
    for (const item of items) {
      if (lines.length >= PAGE_LINES_MAX || this.bytes >= VALUE_BYTES_MAX) {
        this.shortened = true
        break
      }
      lines.push(lineOf(item))
    }
    return lines
  }

  maybe(value: Value | undefined): Buffer {
    return value === undefined ? Buffer.alloc(0) : this.encoded(value)
  }

  /** A copy: the encoder's own bytes are gone with the next value. */
  encoded(value: Value): Buffer {
    const bytes = Buffer.from(encodeWalked(value))
    this.bytes += bytes.length
    return bytes
  }
}
