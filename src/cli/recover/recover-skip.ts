import { OperatorError } from '../../client/operator/ask-leader.ts'
import { fetchStops, type Stops, skipPart } from '../../client/operator/stops.ts'
import { asked } from '../sessions/asked.ts'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

export interface SkipFlags {
  readonly endpoints: readonly string[]
  /** Both or neither; without them the command only shows where the voters have stopped. */
  readonly entry: number | undefined
  readonly part: string | undefined
  readonly dryRun: boolean
  readonly json: boolean
}

/** `holdfast recover skip`: exit code 4 where nothing can be skipped. */
export async function skip({ endpoints, entry, part, dryRun, json }: SkipFlags): Promise<void> {
  if ((entry === undefined) !== (part === undefined))
    throw usageError('--entry goes with --part.', 'holdfast recover skip --dry-run shows both.')
  if (dryRun || entry === undefined || part === undefined) return show(await asked(fetchStops(endpoints)), json)
  const index = await asked(skipPart(endpoints, entry, part).catch(nullIfSkipped), EXIT.refused)
  if (json) printJson({ entry, part, skippedBy: index })
  else if (index === null) print(`${part} of entry ${entry} is skipped already: holdfast status`)
  else print(`${part} of entry ${entry} is skipped, by entry ${index}; the nodes go on: holdfast status`)
}

/** Asked once more, perhaps because the answer was lost: what was wanted is so. */
function nullIfSkipped(error: unknown): null {
  if (error instanceof OperatorError && error.code === 'ALREADY_SKIPPED') return null
  throw error
}

function show({ voters, refusal }: Stops, json: boolean): void {
  const [first] = voters
  const ready = refusal === '' && first !== undefined
  const command = ready ? `holdfast recover skip --entry ${first.index} --part '${first.part}'` : null
  if (json) printJson({ voters, refusal, command })
  else {
    for (const { id, index, part } of voters) {
      print(index === 0 ? `${id} has not stopped` : `${id} has stopped at ${part} of entry ${index}`)
    }
    if (command !== null) print(`nothing was changed; to go on without it: ${command}`)
  }
  if (command !== null) return
  throw new CommandError(
    EXIT.refused,
    'not every voter has stopped at one part of one entry, so nothing can be skipped',
    'Start those that are down. Where one has got past the entry, the others take its state by themselves.',
    refusal === '' ? 'NOT_STOPPED' : refusal,
  )
}
