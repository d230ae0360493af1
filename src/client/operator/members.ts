import { askLeader } from './ask-leader.ts'
import type { AnsweredBy } from './sessions.ts'

/** A member of the cluster, or a node that waits to be one. */
export interface MemberLine {
  readonly id: string
  /** host:port; '': it has not said. */
  readonly address: string
  /** Random id of its data directory. */
  readonly instance: string
  /**
   * `promoting`: a learner that becomes a voter once it has caught up. `leaving`: a voter until the joint configuration is
   * left. `waiting`: no member, it has asked to be added or to replace the disk of that id.
   */
  readonly role: 'voter' | 'learner' | 'promoting' | 'leaving' | 'waiting'
  /** Up to where it holds the log; 0: not known. */
  readonly matchIndex: number
  /** Milliseconds since the leader heard it last; null: not known. */
  readonly contactMs: number | null
}

/** Who the members are, by the newest configuration of the leader's log. */
export interface MemberList {
  readonly by: AnsweredBy
  readonly clusterId: string
  /** Of the configuration's entry. */
  readonly index: number
  readonly committed: boolean
  /** A change is under way. */
  readonly joint: boolean
  readonly members: readonly MemberLine[]
}

/** What is wanted of the members. */
export interface WantedChange {
  readonly change: 'add' | 'promote' | 'remove' | 'replace'
  readonly id: string
  /** Of `add`: it stays a learner. */
  readonly learner: boolean
  /** Index of the configuration that was looked at; 0: whichever there is. */
  readonly basedOn: number
}

/** Rejects with OperatorError; `searchMs`: how long a leader is looked for. */
export async function fetchMembers(endpoints: readonly string[], searchMs?: number): Promise<MemberList> {
  const found = (await askLeader(endpoints, { method: 'Members', request: {} }, searchMs)) as MemberList
  return { ...found, members: found.members.map((line) => ({ ...line, contactMs: line.contactMs ?? null })) }
}

/** Resolves once the first entry of the change is committed, with its index. Rejects with OperatorError. */
export async function changeMembership(endpoints: readonly string[], change: WantedChange): Promise<number> {
  const answer = (await askLeader(endpoints, { method: 'ChangeMembership', request: change })) as { index: number }
  return answer.index
}
