import { OperatorError } from '../../client/operator/ask-leader.ts'
import { changeLimits, fetchLimits, type LimitChanges } from '../../client/operator/limits.ts'
import { asked } from '../sessions/asked.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

export interface LimitsSetFlags {
  readonly endpoints: readonly string[]
  readonly changes: LimitChanges
  /** Entry of the limits that the change was made of; null: of those that are in force now. */
  readonly expectIndex: number | null
  readonly json: boolean
}

/** `holdfast limits set`. What is refused ends it with exit code 4, and changes nothing. */
export async function setLimits({ endpoints, changes, expectIndex, json }: LimitsSetFlags): Promise<void> {
  const basedOn = expectIndex ?? (await asked(fetchLimits(endpoints))).index
  const index = await asked(changeLimits(endpoints, { changes, basedOn }).catch(withProblem), EXIT.refused)
  if (json) return printJson({ index, changes })
  const words = Object.entries(changes).map(([name, value]) => `${name}=${value}`)
  print(`${words.join(' ')} from entry ${index} on`)
}

function withProblem(error: unknown): never {
  if (!(error instanceof OperatorError) || error.code !== 'LIMIT_REFUSED') throw error
  const { name = '', problem = '' } = error.details
  throw new CommandError(EXIT.refused, `${name} ${problem}`, 'docs/limits.md has the range of each limit.', error.code)
}
