import { OperatorError } from '../../client/operator/ask-leader.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'

/** What the leader answers; what it refuses ends the command with exit code 1, and with 3 where nobody leads. */
export async function asked<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    const { code, message } = error
    const exitCode = code === 'NO_LEADER' ? EXIT.cannotConnect : EXIT.failure
    throw new CommandError(exitCode, message, `holdfast explain ${code} says what to do.`, code)
  }
}
