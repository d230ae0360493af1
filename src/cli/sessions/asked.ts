import { OperatorError } from '../../client/operator/ask-leader.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'

/** What the leader answers; what it refuses ends the command with `refused`, and with exit code 3 where nobody leads. */
export async function asked<Answer>(answer: Promise<Answer>, refused: ExitCode = EXIT.failure): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    const { code, message } = error
    const exitCode = code === 'NO_LEADER' ? EXIT.cannotConnect : refused
    throw new CommandError(exitCode, message, `holdfast explain ${code} says what to do.`, code)
  }
}
