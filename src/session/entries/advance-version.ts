import type { PayloadByKind } from '../../codec/entry/payload.ts'
import { hookCall, type MachineCall, type MachineRunner } from '../run/machine-runner.ts'
import { OWN_MACHINE_NAME } from '../own-versions.ts'
import { foldVersion } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY } from './replies.ts'

/**
 * AdvanceVersion (sessions.md §10), step by step: the versions of machines under which later entries are applied; they only
 * rise. A machine's rows are migrated in a transaction of its own; one that fails leaves rows and version as they were, on
 * every replica alike. What the last one did is published when this ends, and still to be settled (`MachineRunner.settle`).
 */
export function* applyAdvanceVersion(
  state: ReplicatedState,
  runner: MachineRunner,
  { machines }: PayloadByKind['AdvanceVersion'],
): Generator<void, Reply> {
  for (const advance of machines) {
    yield* runner.settle()
    const { machine, to, schema } = advance
    const from = state.versions.find(machine)?.version ?? 0
    if (to <= from) continue
    // Rows and version change in one step: no query reads rows of a version by the code of another.
    const switched = (): void => {
      state.versions.set(machine, to, schema)
      foldVersion(state, advance)
    }
    // A machine that the log has not named before has no rows of an earlier version, or those of this very one; and what the
    // session layer keeps is of all its versions.
    if (from === 0 || machine === OWN_MACHINE_NAME) switched()
    else yield* migrate(runner, { machine, from, to }, switched)
  }
  return NO_REPLY
}

function migrate(
  runner: MachineRunner,
  { machine, from, to }: { readonly machine: string; readonly from: number; readonly to: number },
  switched: () => void,
): Generator<void, void> {
  const call: MachineCall = {
    ...hookCall('migration', null, machine),
    label: `migration of ${machine} to ${to}`,
    alarm: 'MIGRATION_FAILED',
  }
  return runner.runSteps(call, (context) => runner.user.migrate?.(context, machine, { from, to }), switched)
}
