import { type CommandTrial, fetchTrial } from '../../client/operator/try-command.ts'
import type { Value } from '../../client/index.ts'
import { asked } from '../sessions/asked.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import type { ListingForm } from '../terminal/listing.ts'
import { print, printJson, say, table } from '../terminal/output.ts'
import { stateOf } from '../schedules/schedule-times.ts'
import { jsonOfValue, valueOfJson } from './json-value.ts'
import type { SentCommand } from './machine-send.ts'

/**
 * `holdfast machine send --dry-run`: what the command would do as the next entry, tried at the leader and forgotten. Exit code
 * 0 for a value, 4 for what is refused, by the machine or before it, 3 when no leader was found.
 */
export async function tryCommand(sent: SentCommand, form: ListingForm): Promise<ExitCode> {
  const trial = await asked(fetchTrial(sent.endpoints, { ...sent, input: valueOfJson(sent.input) }), EXIT.refused)
  if (form === 'table') printTrial(trial)
  else printJson(plainTrial(trial))
  return trial.value === undefined ? EXIT.refused : EXIT.ok
}

function printTrial(trial: CommandTrial): void {
  const { value, code, details, error } = trial
  const outcome = value === undefined ? `rejected: ${code} ${shown(details)}` : `ok: ${shown(value)}`
  print(`${outcome}${error === '' ? '' : `\nthrown: ${error}`}`)
  print(`tried as entry ${trial.index} by ${trial.by.node}; nothing of it stays`)
  const rows = linesOf(trial)
  if (rows.length > 0) print(`\n${table([['what', 'where', 'would be'], ...rows])}`)
  if (trial.shortened) say('It would do more than fits one answer: the lists are not complete.')
}

/** One line for each thing that the command would do. */
function linesOf(trial: CommandTrial): string[][] {
  return [
    ...trial.changes.map(({ key, before, after }) => ['row', key, `${shown(before)} → ${shown(after)}`]),
    ...trial.requests.map(({ session, type, payload }) => ['request', session, `${type} ${shown(payload)}`]),
    ...trial.notifications.map(({ principal, topic, body }) => ['notification', principal, `${topic} ${shown(body)}`]),
    ...trial.timers.map(({ machine, name, dueMs, payload }) => {
      const due = dueMs === 0 ? 'cancelled' : `due ${new Date(dueMs).toISOString()} ${shown(payload)}`
      return ['timer', `${machine} ${name}`, due]
    }),
    ...trial.tasks.map(({ id, kind, role, payload }) => ['task', id, `${kind} for ${role} ${shown(payload)}`]),
    ...trial.schedules.map(({ machine, name, after }) => {
      const words = after === null ? 'cancelled' : `${after.cron} in ${after.zone}, ${stateOf(after)}`
      return ['schedule', `${machine} ${name}`, words]
    }),
    ...trial.cancelledTasks.map((id) => ['task', id, 'cancelled']),
    ...trial.alerts.map(({ alert, details }) => ['alert', alert, shown(details)]),
  ]
}

const shown = (value: Value | undefined): string => (value === undefined ? 'none' : JSON.stringify(jsonOfValue(value)))

/** As JSON says it: what is not there is left out. */
function plainTrial({ value, code, details, error, ...trial }: CommandTrial): unknown {
  const outcome = value === undefined ? { kind: 'rejected', code, details } : { kind: 'ok', value }
  const thrown = error === '' ? {} : { error }
  return jsonOfValue({ ...outcome, ...thrown, ...trial, dryRun: true } as unknown as Value)
}
