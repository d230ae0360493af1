import { logIndex } from '../../base/brand.ts'
import type { Members } from '../membership/members.ts'
import type { DriverOptions } from '../options.ts'
import type { BackupMoment } from './backup-source.ts'

/** A running node as of the entry that it has applied last. */
export function backupMoment(
  { identity, machine, clock, build }: Pick<DriverOptions, 'identity' | 'machine' | 'clock' | 'build'>,
  members: Pick<Members, 'at'>,
): BackupMoment {
  const index = logIndex(machine.appliedIndex)
  const known = members.at(index)
  return {
    index,
    stateHash: machine.stateHash(),
    createdMs: clock.wallMs(),
    node: identity.id,
    clusterId: identity.clusterId,
    group: identity.group,
    incarnation: known?.payload.incarnation ?? 0,
    development: build.development,
    holdfast: build.holdfast,
    machines: Object.fromEntries(machine.machines().map(({ name, active }) => [name, active])),
    limits: { ...machine.limits },
    configuration: known === null ? '' : Buffer.from(known.bytes).toString('base64'),
  }
}
