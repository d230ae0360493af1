import { identityOf, type MachineIdentity } from '../../machine/index.ts'
import { PRODUCT_MACHINES } from '../../machines/index.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'
import { say } from '../terminal/output.ts'
import type { DevData } from './dev-data.ts'
import { machineChange } from './machine-change.ts'
import { readIdentities } from './read-identities.ts'
import { watchModule } from './watch-module.ts'

/** A module under development, and the data that its machines have written. */
export interface Developed {
  readonly path: string
  /** What named the module, e.g. `--machines`. */
  readonly origin: string
  readonly data: DevData
  /** Whatever contradicts the data empties it. */
  readonly reset: boolean
  /** `moduleContent` from before it was first loaded. */
  readonly content: string
}

/**
 * What the module has, where that may go on with the data. Rejects with CommandError when the module cannot be used, and
 * when a machine that ran on the data has changed at an equal version; with `reset` the data is emptied instead.
 */
export async function admitModule({ path, origin, data, reset }: Developed): Promise<readonly MachineIdentity[]> {
  const answer = await readIdentities(path, origin)
  if (answer.kind === 'refused') throw new CommandError(answer.exitCode, answer.message, answer.cure)
  admit(answer.machines, data, reset)
  return answer.machines
}

/** The same for the product's machines, on data where a module's may have run. */
export function admitProduct(data: DevData, reset: boolean): readonly MachineIdentity[] {
  const machines = PRODUCT_MACHINES.map(identityOf)
  admit(machines, data, reset)
  return machines
}

function admit(machines: readonly MachineIdentity[], data: DevData, reset: boolean): void {
  if (reset) return data.reset()
  const changes = machineChange(data.machines ?? [], machines)
  if (changes.length === 0) return
  const cure = `Or start with --reset, which empties ${data.directory} first.`
  throw new CommandError(
    EXIT.failure,
    `the machines do not fit the data in ${data.directory}:\n  ${changes.join('\n  ')}`,
    cure,
  )
}

/**
 * Watches the module until the signal is aborted. A change that fits the data restarts the nodes; any other is told, and
 * they go on as they are.
 *
 * @param restart with `emptied`, called while no node runs.
 */
export function developModule(
  developed: Developed,
  running: readonly MachineIdentity[],
  nodes: { readonly signal: AbortSignal; restart(emptied: (() => void) | null): Promise<void> },
): void {
  const { path, origin, data, reset, content } = developed
  let known = running
  const changed = async (): Promise<void> => {
    const answer = await readIdentities(path, origin)
    if (nodes.signal.aborted) return
    if (answer.kind === 'refused')
      return say(`${answer.message}\n${answer.cure} Until then the nodes go on as they are.`)
    const changes = machineChange(known, answer.machines)
    if (changes.length > 0 && !reset) {
      return say(`not restarted:\n  ${changes.join('\n  ')}\nOr start with --reset, which empties ${data.directory}.`)
    }
    say(changes.length > 0 ? `${origin} has changed: starting anew, without data` : `${origin} has changed: restarting`)
    await nodes.restart(changes.length > 0 ? () => data.reset() : null)
    known = answer.machines
    data.remember(known)
  }
  const told = (error: unknown): void => {
    if (!nodes.signal.aborted) say(error instanceof CommandError ? `${error.message}\n${error.cure}` : String(error))
  }
  watchModule(path, content, { changed: () => changed().catch(told), signal: nodes.signal })
}
