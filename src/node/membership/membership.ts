import { assert } from '../../base/assert.ts'
import { type LogIndex, logIndex, type Millis, type NodeId } from '../../base/brand.ts'
import type { Member } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { progressOf, type RaftState } from '../../raft/index.ts'
import type { ChangeRefusal, RaftEvent } from '../../raft/types.ts'
import { ApplyHalt } from '../../session/run/halt.ts'
import type { DriverOptions } from '../options.ts'
import type { Clock } from '../ports/clock.ts'
import type { PeerTransport } from '../ports/peer-transport.ts'
import type { Applicant, Applicants } from './applicants.ts'
import type { Self } from './known-configuration.ts'
import type { Members } from './members.ts'
import { nextPayload } from './next-payload.ts'
import { type MemberChange, type MemberRefusal, planChange } from './plan-change.ts'

export interface MembershipParts {
  readonly node: {
    readonly raftState: RaftState
    addressOf(id: NodeId): string | null
    waitApplied(index: number, done: (reached: boolean) => void): void
  }
  readonly members: Members
  readonly applicants: Applicants
  enqueue(event: RaftEvent): void
  /** This node's disk is no member any more. */
  removed(halt: ApplyHalt): void
}

/** What came of a change: the index of its first entry, which is committed; or why there is none. */
export type ChangeOutcome =
  | { readonly kind: 'changed'; readonly index: LogIndex }
  | { readonly kind: 'refused'; readonly code: MemberRefusal }
  /** This node cannot tell whether it is committed, or it has stopped. */
  | { readonly kind: 'unknown' }

/** One line of `holdfast member list`. */
export interface MemberFacts {
  readonly id: NodeId
  readonly address: string
  readonly instance: string
  /**
   * `promoting`: a learner that becomes a voter once it has caught up. `leaving`: a voter until the joint configuration is
   * left. `waiting`: no member, it wants to be added, or to replace the voter of that id.
   */
  readonly role: 'voter' | 'learner' | 'promoting' | 'leaving' | 'waiting'
  /** At the leader: up to where it holds the log; null where that is not known. */
  readonly matchIndex: LogIndex | null
  /** At the leader: ms since it was heard last; null: not known. */
  readonly contactMs: Millis | null
}

export interface MemberList {
  /** Index of the configuration; 0 before there is one. */
  readonly index: LogIndex
  readonly committed: boolean
  readonly joint: boolean
  readonly members: readonly MemberFacts[]
}

interface Asked {
  readonly newcomer: Member | null
  readonly done: (outcome: ChangeOutcome) => void
}

/** Changes of the members at this node, and what it makes of those that are committed (raft.md §1, Membership). */
export class Membership {
  private readonly self: Self
  private readonly clock: Clock
  private readonly transport: Pick<PeerTransport, 'removePeer'>
  private readonly parts: MembershipParts
  /** The change that waits for its step, or is in it. */
  private asked: Asked | null = null
  /** That step is under way: what the core appends or refuses is for who asked. */
  private begun = false
  private stopped = false

  constructor(
    { identity, clock, transport }: Pick<DriverOptions, 'identity' | 'clock' | 'transport'>,
    parts: MembershipParts,
  ) {
    this.self = identity
    this.clock = clock
    this.transport = transport
    this.parts = parts
  }

  /** The newest configuration in this node's log, and who waits. */
  list(): MemberList {
    const { members, node } = this.parts
    const known = members.newestKnown
    if (known === null) return { index: logIndex(0), committed: false, joint: false, members: [] }
    const { voters, learners, outgoing, promoting } = known.payload
    const leaving = outgoing.filter((member) => !voters.some(({ id }) => id === member.id))
    const lines = [
      ...voters.map((member) => this.factsOf(member, 'voter')),
      ...learners.map((member) => this.factsOf(member, promoting.includes(member.id) ? 'promoting' : 'learner')),
      ...leaving.map((member) => this.factsOf(member, 'leaving')),
      ...this.waiting().map((applicant) => this.waitingFacts(applicant)),
    ]
    const committed = known.index <= node.raftState.commitIndex
    return { index: known.index, committed, joint: outgoing.length > 0, members: lines }
  }

  /** `done` is told once, what came of it. */
  change(change: MemberChange, done: (outcome: ChangeOutcome) => void): void {
    const { members, enqueue } = this.parts
    const known = members.newestKnown
    if (this.stopped) return done({ kind: 'unknown' })
    if (known === null) return done({ kind: 'refused', code: 'NOT_LEADER' })
    if (this.asked !== null) return done({ kind: 'refused', code: 'CHANGE_UNDERWAY' })
    // Before what the change would be now: who asks again because an answer was lost learns that the members are others.
    if (change.basedOn !== null && change.basedOn !== known.index)
      return done({ kind: 'refused', code: 'CHANGED_SINCE' })
    const waiting = this.waiting()
    const plan = planChange(change, {
      present: known.payload,
      applicant: (id) => waiting.find((each) => each.id === id) ?? null,
      isAlive: (id) => this.isAlive(id),
    })
    if (typeof plan === 'string') return done({ kind: 'refused', code: plan })
    this.asked = { newcomer: plan.newcomer, done }
    const { configuration } = plan
    enqueue({ kind: 'changeMembership', configuration, basedOn: change.basedOn ?? known.index })
  }

  /**
   * The core is told of the change now. Until then it may append configurations of its own: a learner that has caught up is
   * promoted, a joint one is left, leases are switched. Those are nobody's who asks, and have the change refused.
   */
  begin(): void {
    this.begun = this.asked !== null
  }

  /** Disks that may become members. One that was a member and is none any more never does, whatever it still says. */
  private waiting(): readonly Applicant[] {
    const { members, applicants } = this.parts
    const removed = members.newestKnown?.payload.removed ?? []
    return applicants.current(this.clock.monotonicMs()).filter(({ instance }) => {
      return !this.isMember(instance) && !removed.some(({ instanceId }) => instanceId === instance)
    })
  }

  /** The core has not made the change that it was asked for. */
  refused(code: ChangeRefusal): void {
    this.take()?.done({ kind: 'refused', code })
  }

  /** Payload of the configuration that the core has just appended at that index. */
  payloadAt(index: LogIndex): Uint8Array {
    const { members, node } = this.parts
    const { newest } = members
    const appended = node.raftState.configurations.find((entry) => entry.index === index)
    assert(newest !== null && appended !== undefined, 'a configuration follows another one', { index })
    const asked = this.take()
    const payload = nextPayload(appended.configuration, newest, asked?.newcomer ?? null)
    const bytes = encodePayload('Configuration', payload)
    if (asked !== null) {
      // Another leader may have put another entry there, another configuration even.
      const stands = (): boolean => {
        const known = members.at(index)
        return known?.index === index && Buffer.compare(known.bytes, bytes) === 0
      }
      node.waitApplied(index, (reached) =>
        asked.done(reached && stands() ? { kind: 'changed', index } : { kind: 'unknown' }),
      )
    }
    return bytes
  }

  /** The configuration at that index is applied: it cannot be taken back. */
  applied(index: LogIndex): void {
    const { self, transport } = this
    const { members } = this.parts
    const known = members.at(index)
    if (known === null || known !== members.newestKnown) return
    const { removed, outgoing } = known.payload
    for (const { id } of removed) if (members.member(id) === null) transport.removePeer(id)
    if (outgoing.length === 0 && removed.some(({ instanceId }) => instanceId === self.instance)) this.leave(index)
  }

  /** A member says that this disk was removed: it was down, or cut off, when that was committed. */
  toldRemoved(): void {
    this.leave(this.parts.node.raftState.commitIndex)
  }

  /** True of a disk that was a member and will never be one again, as far as this node knows it committed. */
  isRemoved(instance: string): boolean {
    const { members, node } = this.parts
    const committed = members.at(node.raftState.commitIndex)?.payload ?? null
    return committed?.removed.some(({ instanceId }) => instanceId === instance) ?? false
  }

  /** The node stops: who waits for a step is told, and whoever asks from now on. */
  stop(): void {
    this.stopped = true
    this.begin()
    this.take()?.done({ kind: 'unknown' })
  }

  private leave(index: LogIndex): void {
    const { id } = this.self
    const sentence =
      `this node's disk is no member of the cluster any more: ${id} was removed, or replaced by another disk. It serves ` +
      'nobody; its clients go to the other members. To use the machine again, empty its data directory, start it with ' +
      '`holdfast join`, and add it with `holdfast member add`'
    this.parts.removed(new ApplyHalt('REMOVED', index, sentence))
  }

  private take(): Asked | null {
    const { asked, begun } = this
    if (!begun) return null
    this.asked = null
    this.begun = false
    return asked
  }

  private isMember(instance: string): boolean {
    const { newest } = this.parts.members
    const members = newest === null ? [] : [...newest.voters, ...newest.learners]
    return members.some(({ instanceId }) => instanceId === instance)
  }

  /** A voter's disk has answered lately; none of its answers is of the time before this node led. */
  private isAlive(id: NodeId): boolean {
    const { self, clock } = this
    if (id === self.id) return true
    const state = this.parts.node.raftState
    const progress = progressOf(state).get(id)
    if (progress === undefined || progress.answered === 0) return false
    return clock.monotonicMs() - progress.lastContact < state.config.electionTimeoutMinMs
  }

  private factsOf({ id, address, instanceId: instance }: Member, role: MemberFacts['role']): MemberFacts {
    const { clock, self } = this
    const { node } = this.parts
    const state = node.raftState
    const progress = progressOf(state).get(id)
    const leads = state.role.kind === 'leader' && id === self.id
    const known = progress !== undefined && progress.answered > 0
    return {
      id,
      address: node.addressOf(id) ?? address,
      instance,
      role,
      matchIndex: leads ? state.disk.durableIndex : (progress?.matchIndex ?? null),
      contactMs: leads ? 0 : known ? Math.max(0, Math.round(clock.monotonicMs() - progress.lastContact)) : null,
    }
  }

  private waitingFacts({ id, address, instance }: Applicant): MemberFacts {
    return { id, address, instance, role: 'waiting', matchIndex: null, contactMs: null }
  }
}
