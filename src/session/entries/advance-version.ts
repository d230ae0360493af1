import type { PayloadByKind } from '../../codec/entry/payload.ts'
import { hookCall, type MachineCall, type MachineRunner } from '../run/machine-runner.ts'
import { foldVersion } from '../state/fold.ts'
import type { ReplicatedState } from '../state/replicated-state.ts'
import type { Reply } from '../state-machine.ts'
import { NO_REPLY } from './replies.ts'

/**
 * AdvanceVersion (sessions.md §10): the versions of machines under which later entries are applied; they only rise. A machine's
 * rows are migrated in a transaction of its own; one that fails leaves rows and version as they were, on every replica alike.
 */
export function applyAdvanceVersion(
  state: ReplicatedState,
  runner: MachineRunner,
  { machines }: PayloadByKind['AdvanceVersion'],
): Reply {
  for (const advance of machines) {
    const { machine, to, schema } = advance
    const from = state.versions.find(machine)?.version ?? 0
    // A machine that the log has not named before has no rows of an earlier version, or those of this very one.
    if (to <= from || (from > 0 && !migrate(runner, machine, { from, to }))) continue
    state.versions.set(machine, to, schema)
    foldVersion(state, advance)
  }
  return NO_REPLY
}

function migrate(runner: MachineRunner, machine: string, versions: { from: number; to: number }): boolean {
  const call: MachineCall = {
    ...hookCall('migration', null, machine),
    label: `migration of ${machine} to ${versions.to}`,
    alarm: 'MIGRATION_FAILED',
  }
  return runner.runHook(call, (context) => runner.user.migrate?.(context, machine, versions))
}
