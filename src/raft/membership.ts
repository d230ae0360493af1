import { assert } from '../base/assert.ts'
import { indexAfter, type LogIndex, type Millis, type NodeId } from '../base/brand.ts'
import { becomeFollower } from './become.ts'
import { hasRecentQuorum } from './check-quorum.ts'
import { newProgress } from './progress.ts'
import { replicate, tellCommit } from './replicate.ts'
import { configurationOf, type Leader, leaderOf, NEVER, peersOf, type RaftState, type Round } from './state.ts'
import { sendTimeoutNow } from './transfer.ts'
import type { Turn } from './turn.ts'
import type { ChangeRefusal, Configuration, LeaseTerms, Progress, RaftEvent } from './types.ts'

type Change = Extract<RaftEvent, { kind: 'changeMembership' }>

/**
 * The operator wants other members (thesis §4.3). Where the voters stay as they are, the new configuration is appended; else
 * a joint one, of both, after which the leader appends the new one by itself (`maybeConcludeChange`). A configuration is in
 * force from the moment it is in the log, committed or not (thesis §4.1).
 */
export function changeMembership(turn: Turn, { configuration: wanted, basedOn }: Change): void {
  assert(wanted.voters.length > 0, 'a configuration has at least one voter', { wanted })
  const refusal = checkChange(turn.state, turn.now, basedOn)
  // A halted leader is nobody to turn to.
  if (refusal !== null) return turn.refuseChange(refusal, refusal === 'HALTED' ? null : leaderOf(turn.state))
  appendConfiguration(turn, wanted)
  replicate(turn, null)
}

/**
 * Leases on other terms, or none, from now on (lease.ts). That waits for an entry of the own term to be committed, as every
 * change does, and here for one more reason: whoever finds in its log that there are no leases does not defer. Without this:
 *
 *   1. n1 answers by its lease. n2 is elected, and may commit nothing yet, but appends that there are none; n3 has that entry.
 *   2. n3 is elected, and commits a write at once. n1 still answers, without it.
 */
export function setLease(turn: Turn, lease: LeaseTerms | null): void {
  const { state, now } = turn
  const present = configurationOf(state)
  const basedOn = state.configurations.at(-1)?.index
  if (present === null || basedOn === undefined || sameTerms(present.lease ?? null, lease)) return
  if (checkChange(state, now, basedOn) !== null) return
  appendConfiguration(turn, present, lease)
  replicate(turn, null)
}

function sameTerms(left: LeaseTerms | null, right: LeaseTerms | null): boolean {
  return left?.ms === right?.ms && left?.driftPermille === right?.driftPermille
}

/** Why not, or null. */
function checkChange(state: RaftState, now: Millis, basedOn: LogIndex): ChangeRefusal | null {
  const { role, halted, stalled, commitIndex, configurations } = state
  if (role.kind !== 'leader') return 'NOT_LEADER'
  if (halted) return 'HALTED'
  // The target of a transfer stays a voter, and the end of the log stays where it is. A sole voter whose disk hangs has nobody
  // to hand over to: nobody becomes a voter beside it meanwhile, who would need its vote (stall.ts).
  if (role.transfer !== null || stalled) return 'NOT_READY'
  if (!hasRecentQuorum(state, now)) return 'NO_QUORUM'
  // Without it: the leader's configuration may be one that an earlier leader never committed, and a later one has replaced
  // without this node's knowledge: two changes are under way, and majorities of the two need not meet (Ongaro, raft-dev 2015).
  if (commitIndex < role.firstOwnIndex) return 'NOT_READY'
  if (!isSettled(state)) return 'CHANGE_UNDERWAY'
  return configurations.at(-1)?.index === basedOn ? null : 'CHANGED_SINCE'
}

/** No change is under way: the effective configuration is committed, and it is not joint. */
function isSettled({ configurations, commitIndex }: RaftState): boolean {
  const newest = configurations.at(-1)
  return newest !== undefined && newest.index <= commitIndex && newest.configuration.outgoing.length === 0
}

/**
 * What a leader does about its members when the commit index or a learner has moved on: it leaves a joint configuration that
 * is committed, makes voters of the learners in `ready`, or leaves office because it is no voter any more. Says whether it
 * left: whoever is removed must see to its own removal until then, for nobody else may be able to (thesis §4.2.2).
 */
export function maybeConcludeChange(turn: Turn, ready: readonly NodeId[] = []): boolean {
  const { role, commitIndex, configurations, config } = turn.state
  const newest = configurations.at(-1)
  if (role.kind !== 'leader' || newest === undefined) return false
  // An earlier leader's joint configuration is left only once an entry of this term is committed above it (paper §5.4.2).
  if (newest.index > commitIndex || commitIndex < role.firstOwnIndex) return false
  const { configuration } = newest
  if (configuration.outgoing.length > 0) {
    appendConfiguration(turn, configuration)
    replicate(turn, null)
    return false
  }
  if (!configuration.voters.includes(config.self)) {
    // The others learn at once that it is committed, and one that holds all of it is asked to lead.
    replicate(turn, null)
    tellCommit(turn, null)
    const heir = configuration.voters.find((id) => role.progress.get(id)?.matchIndex === turn.state.lastIndex)
    if (heir !== undefined) sendTimeoutNow(turn, heir)
    becomeFollower(turn, null)
    return true
  }
  const promoted = ready.filter((id) => configuration.promoting.includes(id))
  if (promoted.length === 0 || turn.state.halted || turn.state.stalled || role.transfer !== null) return false
  appendConfiguration(turn, withPromoted(configuration, promoted))
  replicate(turn, null)
  return false
}

function withPromoted({ voters, learners, promoting }: Configuration, promoted: readonly NodeId[]): Configuration {
  const others = (ids: readonly NodeId[]): readonly NodeId[] => ids.filter((id) => !promoted.includes(id))
  return {
    voters: [...voters, ...promoted].sort(),
    learners: others(learners),
    outgoing: [],
    promoting: others(promoting),
  }
}

/**
 * That learner has answered: whether it has caught up (thesis §4.2.1), which it has when it got, within a minimum election
 * timeout, all that the log held when that time began. One that is promoted sooner may hold up every commit for as long as it
 * takes to get there. Rounds follow each other until then, however many.
 */
export function hasCaughtUp(turn: Turn, learner: NodeId): boolean {
  const { state, now } = turn
  const { role } = state
  if (role.kind !== 'leader') return false
  if (configurationOf(state)?.promoting.includes(learner) !== true) return false
  const round = role.rounds.get(learner)
  const matchIndex = role.progress.get(learner)?.matchIndex ?? 0
  if (round !== undefined && matchIndex < round.target) return false
  const rounds = new Map(role.rounds).set(learner, { target: state.lastIndex, startedAt: now })
  turn.state = { ...state, role: { ...role, rounds } }
  return round !== undefined && now - round.startedAt < state.config.electionTimeoutMinMs
}

/**
 * Appends the next configuration on the way to `wanted`: itself where that has the voters of the present one or the present
 * one is joint, else the joint one of both. `lease`: undefined: the terms stay.
 */
function appendConfiguration(turn: Turn, wanted: Configuration, lease?: LeaseTerms | null): void {
  const { state } = turn
  const present = configurationOf(state)
  assert(present !== null, 'a leader has a configuration', { term: state.currentTerm })
  const isStep = present.outgoing.length > 0 || sameIds(present.voters, wanted.voters)
  const { voters, learners, promoting } = wanted
  const members = { voters, learners, promoting, outgoing: isStep ? [] : present.voters }
  const terms = lease === undefined ? (present.lease ?? null) : lease
  const configuration: Configuration = terms === null ? members : { ...members, lease: terms }
  const index = indexAfter(state.lastIndex)
  const source = { kind: 'created', entryKind: 'configuration' } as const
  turn.append([{ first: index, last: index, term: state.currentTerm, source }])
  const configurations = [...turn.state.configurations, { index, configuration }]
  turn.state = { ...turn.state, configurations }
  turn.state = { ...turn.state, role: withMembers(turn, present) }
}

/** The leader with progress of exactly those who are members now. */
function withMembers(turn: Turn, before: Configuration): Leader {
  const { state, now } = turn
  const { role, config } = state
  assert(role.kind === 'leader', 'only a leader changes the membership', { role: role.kind })
  const votedBefore = (id: NodeId): boolean => before.voters.includes(id) || before.outgoing.includes(id)
  const votes = (id: NodeId): boolean => {
    const now = configurationOf(state)
    return now !== null && (now.voters.includes(id) || now.outgoing.includes(id))
  }
  const progress = new Map<NodeId, Progress>()
  const rounds = new Map<NodeId, Round>()
  for (const peer of peersOf(state)) {
    const known = role.progress.get(peer)
    // A voter that is a learner from now on may be another disk under the same id: nothing that the old one held counts for
    // it. Without this:
    //   1. n3 has acknowledged entry 900 and loses its disk. It is replaced: n3 is a learner, on an empty one.
    //   2. The leader still has it at 900: caught up. It is promoted, and with it entry 901 is on n1 alone and committed.
    const anew = known === undefined || (votedBefore(peer) && !votes(peer))
    progress.set(peer, anew ? newProgress({ next: state.lastIndex, now, since: role.sequence, voted: false }) : known)
    const round = role.rounds.get(peer)
    if (!anew && round !== undefined) rounds.set(peer, round)
  }
  const due = role.heartbeatDeadline === NEVER ? now + config.heartbeatMs : role.heartbeatDeadline
  return { ...role, progress, rounds, heartbeatDeadline: progress.size === 0 ? NEVER : due }
}

function sameIds(left: readonly NodeId[], right: readonly NodeId[]): boolean {
  return left.length === right.length && left.every((id, at) => id === right[at])
}
