import type { NodeId } from '../../base/brand.ts'
import { assert, unreachable } from '../../base/assert.ts'
import type { MachineAdvance, Member } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import type { CreatedKind } from '../../raft/types.ts'
import type { Bootstrap } from '../peers/bootstrap.ts'
import type { DutyPorts } from './leader-duties.ts'
import type { DriverOptions } from '../options.ts'

const EMPTY = new Uint8Array(0)

/** Payload of an entry that the core creates. The first leader's no-op is the Configuration (raft.md §1, Bootstrap). */
export function createdPayload(
  kind: CreatedKind,
  options: DriverOptions,
  peers: { readonly bootstrap: Bootstrap; readonly firstVersions: readonly MachineAdvance[] },
): Uint8Array {
  switch (kind) {
    case 'noop':
      return EMPTY
    case 'limits':
      return encodePayload('Limits', options.limits)
    case 'configuration':
      return encodePayload('Configuration', {
        clusterId: options.identity.clusterId,
        incarnation: 1,
        voters: options.initialVoters.map((voter) => memberOf(voter, peers.bootstrap)),
        learners: [],
        outgoing: [],
        promoting: [],
        removed: [],
      })
    case 'advanceVersion':
      // One entry for all machines: of several, a leader that fails could leave a part, and the rest would not be active.
      return encodePayload('AdvanceVersion', { machines: peers.firstVersions })
    default:
      return unreachable(kind)
  }
}

function memberOf(voter: { readonly id: NodeId; readonly address: string }, bootstrap: Bootstrap): Member {
  const instanceId = bootstrap.instanceOf(voter.id)
  assert(instanceId !== null, 'every voter named its instance before the first election', { voter: voter.id })
  return { id: voter.id, address: voter.address, instanceId }
}

/** Payloads of the entries that a leader appends by itself. */
export const dutyPayloads: DutyPorts['encode'] = {
  keepAlive: (sessions) => encodePayload('KeepAlive', { sessions }),
  expire: (sessions) => encodePayload('ExpireSessions', { sessions }),
  retry: (sessions) => encodePayload('RetryServerRequests', { sessions }),
  advance: (machines) => encodePayload('AdvanceVersion', { machines }),
  schedules: (steps) => encodePayload('ScheduleNext', { steps }),
}
