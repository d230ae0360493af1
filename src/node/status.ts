import type { NodeId } from '../base/brand.ts'
import { answersByLease, configurationOf, progressOf, type RaftState } from '../raft/index.ts'
import type { NodeStatus, RaftNode } from './api.ts'
import type { Applying } from './applying.ts'
import type { DriverOptions } from './options.ts'
import type { Build } from './ports/peer-transport.ts'
import type { ReadRequests } from './reads/read-requests.ts'

/** One node's view of itself and, at the leader, of its followers (wire.md §2.5). */
export function statusOf(view: {
  node: RaftNode
  raft: RaftState
  options: DriverOptions
  applying: Pick<Applying, 'pipeline' | 'installation'>
  awaited: readonly NodeId[]
  readonly reads: Pick<ReadRequests, 'answeredInLimbo' | 'waitedForLimbo'>
  /** By member, this node among them. */
  builds: ReadonlyMap<NodeId, Build>
}): NodeStatus {
  const { node, raft, options } = view
  const { pipeline, installation } = view.applying
  const now = options.clock.monotonicMs()
  const followers = [...progressOf(raft)].map(([id, progress]) => ({
    id,
    matchIndex: progress.matchIndex,
    contactMs: Math.max(0, Math.round(now - progress.lastContact)),
  }))
  return {
    id: node.id,
    role: node.role,
    leader: node.leader,
    term: raft.currentTerm,
    commitIndex: raft.commitIndex,
    appliedIndex: pipeline.applied,
    lastIndex: raft.lastIndex,
    // Of a state that is not here, or was left in the middle of an entry, there is none.
    stateHash:
      node.halted?.code === 'STATE_AWAITED' || node.halted?.code === 'ENGINE_ERROR' ? '' : node.machine.stateHash(),
    snapshotIndex: pipeline.snapshotIndex,
    syncP50Ms: options.log.stats.syncP50Ms(),
    syncP99Ms: options.log.stats.syncP99Ms(),
    sessions: node.machine.counts.sessions,
    rows: node.machine.counts.rows,
    failures: options.reports.failures,
    followers,
    voters: configurationOf(raft)?.voters ?? [],
    awaited: configurationOf(raft) === null ? view.awaited : [],
    halted: node.halted,
    machines: node.machine.machines(),
    runtime: options.build.runtime,
    holdfast: options.build.holdfast,
    development: options.build.development,
    peerBuilds: [...view.builds].filter(([id]) => id !== node.id).map(([id, build]) => ({ id, ...build })),
    differs: pipeline.differs,
    pull: installation.pull.progress,
    owes: raft.obligation,
    leaseMs: configurationOf(raft)?.lease?.ms ?? 0,
    leaseHeld: answersByLease(raft, now),
    readRounds: raft.role.kind === 'leader' ? raft.role.readRounds : 0,
    limboAnswered: view.reads.answeredInLimbo,
    limboWaited: view.reads.waitedForLimbo,
  }
}
