import { unreachable } from '../../base/assert.ts'
import type { LogIndex, NodeId } from '../../base/brand.ts'
import type { ConfigurationPayload, Member } from '../../codec/entry/payload.ts'
import type { ChangeRefusal, Configuration } from '../../raft/types.ts'
import type { Applicant } from './applicants.ts'
import { configurationIn } from './known-configuration.ts'

/** What an operator wants of the members. */
export interface MemberChange {
  /**
   * add: a node that waits becomes a learner, and a voter once it has caught up, unless `learner`. promote: so does a
   * learner. remove: a voter or learner is none any more. replace: an empty disk that waits takes the place of a voter's.
   */
  readonly kind: 'add' | 'promote' | 'remove' | 'replace'
  readonly id: NodeId
  /** Of `add`: it stays a learner. */
  readonly learner: boolean
  /** Index of the configuration that the wish was made of; null: whichever there is. */
  readonly basedOn: LogIndex | null
}

/** Why a change is not made. Nothing was appended. */
export type MemberRefusal =
  | ChangeRefusal
  | 'MEMBER_UNKNOWN'
  | 'MEMBER_EXISTS'
  | 'MEMBER_ALIVE'
  | 'NOT_WAITING'
  | 'LAST_VOTER'
  | 'TOO_MANY_MEMBERS'

/** The configuration to ask the core for, and the member that its entry must name anew. */
export interface ChangePlan {
  readonly configuration: Configuration
  readonly newcomer: Member | null
}

export interface PlanPorts {
  readonly present: ConfigurationPayload
  applicant(id: NodeId): Applicant | null
  /** That voter's own disk has answered lately, or is this node's. */
  isAlive(id: NodeId): boolean
}

const MEMBERS_MAX = 64

/** What the change makes of the present members, or why it does not. */
export function planChange(change: MemberChange, ports: PlanPorts): ChangePlan | MemberRefusal {
  const present = configurationIn(ports.present, null)
  const { id } = change
  const isVoter = present.voters.includes(id)
  const isMember = isVoter || present.learners.includes(id)
  switch (change.kind) {
    case 'add':
      if (isMember) return 'MEMBER_EXISTS'
      if (present.voters.length + present.learners.length >= MEMBERS_MAX) return 'TOO_MANY_MEMBERS'
      return withNewcomer(present, change, ports)
    case 'promote':
      if (isVoter) return 'MEMBER_EXISTS'
      if (!isMember) return 'MEMBER_UNKNOWN'
      return { configuration: { ...present, promoting: and(present.promoting, id) }, newcomer: null }
    case 'remove':
      if (!isMember) return 'MEMBER_UNKNOWN'
      if (isVoter && present.voters.length === 1) return 'LAST_VOTER'
      return { configuration: without(present, id), newcomer: null }
    case 'replace':
      if (!isVoter) return 'MEMBER_UNKNOWN'
      if (present.voters.length === 1) return 'LAST_VOTER'
      if (ports.isAlive(id)) return 'MEMBER_ALIVE'
      return withNewcomer(without(present, id), { ...change, learner: false }, ports)
    default:
      return unreachable(change.kind)
  }
}

/** The node that waits under that id, as a learner. */
function withNewcomer(
  present: Configuration,
  { id, learner }: MemberChange,
  ports: PlanPorts,
): ChangePlan | MemberRefusal {
  const applicant = ports.applicant(id)
  const { voters, learners, outgoing } = ports.present
  const before = [...voters, ...learners, ...outgoing].find((member) => member.id === id)
  const address = applicant?.address || before?.address
  if (applicant === null || address === undefined) return 'NOT_WAITING'
  const promoting = learner ? present.promoting : and(present.promoting, id)
  const configuration = { ...present, learners: and(present.learners, id), promoting }
  return { configuration, newcomer: { id, address, instanceId: applicant.instance } }
}

function and(ids: readonly NodeId[], id: NodeId): readonly NodeId[] {
  return [...new Set([...ids, id])].sort()
}

function without({ voters, learners, promoting }: Configuration, id: NodeId): Configuration {
  const others = (ids: readonly NodeId[]): readonly NodeId[] => ids.filter((other) => other !== id)
  return { voters: others(voters), learners: others(learners), outgoing: [], promoting: others(promoting) }
}
