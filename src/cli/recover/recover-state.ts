import { assert, unreachable } from '../../base/assert.ts'
import { discardState, refetchState } from '../../host/stopped/recover-state.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

/** Options of `holdfast recover refetch-state`. */
export interface RefetchFlags extends TypedFlags {
  readonly json?: true
}

/** `holdfast recover refetch-state`: exit code 4 where there is nothing to be set aside, or nobody to take it from. */
export async function refetch(flags: RefetchFlags): Promise<void> {
  const data = await dataOf(flags)
  const outcome = await refetchState(data)
  switch (outcome.kind) {
    case 'setAside': {
      const { path, index, others } = outcome
      if (flags.json === true) return printJson({ index, path, others })
      return print(
        `the state up to entry ${index} is set aside in ${path}\n` +
          'start the node again as before: it keeps its log and its vote, and takes the state that more than half of ' +
          `${others.join(', ')} have\n` +
          `once it serves, delete what was set aside: holdfast recover discard-state --data ${data}`,
      )
    }
    case 'kept':
      throw refused(
        `a state that was set aside before is kept in ${outcome.path}`,
        `Nothing was changed. Delete it first: holdfast recover discard-state --data ${data}`,
      )
    case 'noState':
      throw refused(
        `no snapshot in ${data} can be read`,
        'Nothing was changed. Start the node: it makes its state of its log, or takes that of the others by itself.',
      )
    case 'alone':
      throw refused(
        `the node of ${data} is the only voter of its cluster, so nobody else has its state`,
        'Nothing was changed. `holdfast replay` tells which module makes the state that it has.',
      )
    default:
      unreachable(outcome)
  }
}

/** `holdfast recover discard-state`: exit code 4 while the node has no other state yet. */
export async function discard(flags: TypedFlags): Promise<void> {
  const data = await dataOf(flags)
  if (!(await discardState(data)))
    throw refused(
      'the node has not taken another state yet',
      'Nothing was deleted. Start the node, wait until `holdfast status` shows it as ok, and run this again.',
    )
  print(`nothing is set aside in ${data} any more`)
}

async function dataOf(flags: TypedFlags): Promise<string> {
  const { values } = await readSettings(flags, ['data'])
  assert(values.data !== undefined, 'required settings are there', { values })
  return values.data
}

function refused(message: string, cure: string): CommandError {
  return new CommandError(EXIT.refused, message, cure)
}
