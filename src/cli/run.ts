import { CommanderError } from 'commander'
import { AssertionError } from '../base/assert.ts'
import { listErrors } from '../protocol/errors.ts'
import { CommandError, EXIT, errorCode, type ExitCode, MORE_FILES } from './terminal/exit.ts'
import { paint, say } from './terminal/output.ts'
import { StopAsked } from './terminal/signals.ts'
import { program } from './program.ts'

/** Runs one command line and gives its exit code; everything that went wrong has been said on stderr. */
export async function run(words: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.ok
  try {
    await program((code) => {
      exitCode = code
    }).parseAsync([...words])
    return exitCode
  } catch (error) {
    return explainFailure(error)
  }
}

function explainFailure(error: unknown): ExitCode {
  // Commander has already written its own sentence; --help and --version end this way too.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  if (error instanceof StopAsked) {
    say(error.message)
    return EXIT.ok
  }
  if (error instanceof CommandError) {
    say(`${paint('red', 'holdfast:')} ${error.message}${error.code === null ? '' : ` (${error.code})`}`)
    say(error.cure)
    return error.exitCode
  }
  const code = errorCode(error)
  if (error instanceof Error && code !== null) {
    say(`${paint('red', 'holdfast:')} ${error.message} (${code})`)
    if (code === 'EMFILE') say(MORE_FILES)
    if (listErrors(code).length > 0) say(`holdfast explain ${code} says what to do.`)
    return EXIT.failure
  }
  say(`${paint('red', 'holdfast:')} ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  if (error instanceof AssertionError) say('This is a defect of Holdfast. Please report it with the lines above.')
  return EXIT.failure
}
