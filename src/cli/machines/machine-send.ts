import { type CommandOutcome, connect, ConnectError } from '../../client/index.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'
import type { ListingForm } from '../terminal/listing.ts'
import { print, printJson } from '../terminal/output.ts'
import { jsonOfValue, valueOfJson } from './json-value.ts'

/** One command of `holdfast machine send`. */
export interface SentCommand {
  readonly endpoints: readonly string[]
  readonly machine: string
  readonly command: string
  /** JSON. */
  readonly input: string
  readonly principal: string
  readonly roles: readonly string[]
}

/** The session outlives a change of leader; it is closed at the end. */
const SESSION_TIMEOUT_MS = 30_000

/**
 * `holdfast machine send`: one command in a session of its own, executed once, and its outcome. Exit code 0 for a value, 4 for
 * what was refused, by the machine or before it, 1 when it cannot be told what became of it, 3 when no leader was found.
 */
export async function sendCommand(sent: SentCommand, form: ListingForm): Promise<ExitCode> {
  const { endpoints, machine, command, principal, roles } = sent
  const input = valueOfJson(sent.input)
  const session = await connect({ endpoints, principal, roles, timeoutMs: SESSION_TIMEOUT_MS }).catch(
    (error: unknown) => {
      throw error instanceof ConnectError ? notOpened(error) : error
    },
  )
  try {
    const outcome = await session.execute(machine, command, input)
    if (form === 'table') print(outcomeText(outcome))
    else printJson(plainOutcome(outcome))
    return exitCodeOf(outcome)
  } finally {
    await session.close()
  }
}

/** An outcome for a person, on one line. */
function outcomeText(outcome: CommandOutcome): string {
  if (outcome.kind === 'ok') return `ok at index ${outcome.index}: ${JSON.stringify(jsonOfValue(outcome.value))}`
  const details = 'details' in outcome ? ` ${JSON.stringify(jsonOfValue(outcome.details))}` : ''
  return `${outcome.kind}: ${outcome.code}${details}`
}

function plainOutcome(outcome: CommandOutcome): object {
  if (outcome.kind === 'ok') return { ...outcome, value: jsonOfValue(outcome.value) }
  return 'details' in outcome ? { ...outcome, details: jsonOfValue(outcome.details) } : outcome
}

function exitCodeOf({ kind }: CommandOutcome): ExitCode {
  if (kind === 'ok') return EXIT.ok
  return kind === 'unknown' ? EXIT.failure : EXIT.refused
}

function notOpened(error: ConnectError): CommandError {
  const exitCode = error.code === 'NO_LEADER' ? EXIT.cannotConnect : EXIT.refused
  return new CommandError(exitCode, error.message, `holdfast explain ${error.code} says what to do.`, error.code)
}
