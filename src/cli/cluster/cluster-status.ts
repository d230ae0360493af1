import type { MachineFailuresReport, NodeStatusReport, ObligationReport, PullReport } from '../../client/index.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import { type BuildOfNode, buildDifferences, buildsOfNodes, type MachineLine, machineLines } from './builds-of-nodes.ts'
import { divergedNodes } from './diverged-nodes.ts'

type LeaseFields = 'leaseMs' | 'leaseHeld' | 'readRounds'

/** What one node said of itself, and nothing when it did not answer. Indexes are log indexes, times milliseconds. */
export interface NodeReport {
  readonly endpoint: string
  readonly status:
    | ({
        readonly id: string
        readonly role: string
        readonly leader: string | null
        readonly term: number
        readonly commitIndex: number
        readonly appliedIndex: number
        readonly lastIndex: number
        readonly stateHash: string
        readonly syncP99Ms: number
        /** Of a leader: what it knows of its followers. */
        readonly followers: readonly { readonly id: string; readonly matchIndex: number; readonly contactMs: number }[]
        /** Empty before the first election. */
        readonly voters: readonly string[]
        /** Peers that refused this node's frames just now, and why. */
        readonly refusals: readonly { readonly peer: string; readonly code: string }[]
        /** Initial voters that this node has to hear before the first election. */
        readonly awaited: readonly string[]
        /** Why it applies and answers nothing more. */
        readonly halted: { readonly code: string; readonly message: string; readonly index: number } | null
        /** Members that made another state of the log than it. */
        readonly differs: { readonly nodes: readonly string[]; readonly index: number } | null
        /** Null: it does not say. */
        readonly failures: MachineFailuresReport | null
      } & Pick<
        NodeStatusReport,
        LeaseFields | 'pull' | 'owes' | 'machines' | 'runtime' | 'holdfast' | 'development' | 'peerBuilds'
      >)
    | null
}

/**
 * `ok`; `heard` (not asked, and the leader hears it); `behind` (does not apply what is committed, or takes a snapshot of
 * another member first); `owes` (its log was damaged, and it does not vote yet); `refused` (it and the leader refuse each
 * other); `silent` (it answers here, the leader does not hear it); `diverged` (another state hash than others at an equal
 * index); `halted` (it applies and answers nothing more, and says why); `unreachable`. The first two count.
 */
export type Health = 'ok' | 'heard' | 'behind' | 'refused' | 'silent' | 'diverged' | 'halted' | 'owes' | 'unreachable'

/** One node in the table of `holdfast status`; null where nobody knows. */
export interface NodeLine {
  readonly id: string
  readonly role: string
  readonly health: Health
  readonly matchIndex: number | null
  /** Entries that are committed and that this node has not applied. */
  readonly lagEntries: number | null
  /** Since the leader last heard from it; 0 for the leader. */
  readonly lagMs: number | null
  readonly fsyncP99Ms: number | null
  readonly stateHash: string | null
  readonly appliedIndex: number | null
  /** Functions of machines that failed there since its process began. */
  readonly failures: MachineFailuresReport | null
  /** What it is built of, by its own word or, of one that was not asked, by another member's. */
  readonly build: BuildOfNode | null
}

/** What `holdfast status --json` prints. */
export interface ClusterStatus {
  /** Of the newest term, by its own word or a follower's. */
  readonly leader: string | null
  readonly term: number
  readonly nodes: readonly NodeLine[]
  /** How many more voters may fail before the cluster stops; negative is none and already stopped. */
  readonly canLose: number
  /** Refusals between nodes, each once. */
  readonly refusals: readonly { readonly peer: string; readonly code: string }[]
  /** Initial voters that somebody has to hear before the first election. */
  readonly awaited: readonly string[]
  /** Nodes that apply and answer nothing more, with code, sentence and the index at which they stopped. */
  readonly halted: readonly {
    readonly node: string
    readonly code: string
    readonly message: string
    readonly index: number
  }[]
  /**
   * How the leader answers linearizable reads: length of its leases, ms, 0: it has none; whether it holds one now, as it does
   * while it is read from; and for how many rounds of reads it asked the others in its term. Null: it did not answer.
   */
  readonly reads: Pick<NodeStatusReport, LeaseFields> | null
  /** Nodes that a snapshot of another member is on its way to, in rows. */
  readonly pulls: readonly ({ readonly node: string } & PullReport)[]
  /** Nodes that do not vote, for their log was damaged. */
  readonly owes: readonly ({ readonly node: string } & ObligationReport)[]
  /** The machines of the log, in the order of their names, as far as the node says that has applied most. */
  readonly machines: readonly MachineLine[]
  /** What nodes are built of differently, a sentence each. */
  readonly differences: readonly string[]
  /** Nodes that know of others with another state than theirs at an equal index. */
  readonly differs: readonly { readonly node: string; readonly nodes: readonly string[]; readonly index: number }[]
}

/** More entries than this behind is a node that does not keep up, rather than one that is about to apply. */
const BEHIND_ENTRIES = 10_000
/** A leader hears each follower several times a second; it steps down after 600 ms without a majority. */
const SILENT_MS = 2_000

type Known = NonNullable<NodeReport['status']>

/** What the lines of all nodes are made from. */
interface View {
  readonly known: readonly Known[]
  /** The leader of the newest term, when it answered. */
  readonly leader: Known | null
  readonly diverged: ReadonlySet<string>
  readonly builds: ReadonlyMap<string, BuildOfNode>
  /** Every endpoint answered: a node of which nothing is known was not asked. */
  readonly allAnswered: boolean
}

/** One view of the cluster from what its nodes said, the leader's word first. */
export function clusterStatus(reports: readonly NodeReport[]): ClusterStatus {
  const known = reports.flatMap((report) => (report.status === null ? [] : [report.status]))
  const term = Math.max(0, ...known.map((status) => status.term))
  const leader = known.find((status) => status.role === 'leader' && status.term === term) ?? null
  const named = leader?.id ?? known.find((status) => status.term === term && status.leader !== null)?.leader ?? null
  const voters = leader?.voters ?? longest(known.map((status) => status.voters))
  const ids = [...new Set([...voters, ...known.map((status) => status.id)])].sort()
  const builds = buildsOfNodes(known)
  const machines = machineLines(known)
  const view = {
    known,
    leader,
    builds,
    diverged: divergedNodes(known),
    allAnswered: known.length === reports.length,
  }
  const nodes = ids.map((id) => lineOf(id, view))
  return {
    leader: named,
    term,
    nodes,
    canLose: lossesLeft({ voters, nodes, leader, named }),
    refusals: distinct(known.flatMap((status) => status.refusals)),
    awaited: [...new Set(known.flatMap((status) => status.awaited))].sort(),
    differs: known.flatMap(({ id, differs }) => (differs === null ? [] : [{ node: id, ...differs }])),
    halted: known.flatMap(({ id, halted }) => (halted === null ? [] : [{ node: id, ...halted }])),
    reads: leader === null ? null : readsOf(leader),
    pulls: known.flatMap(({ id, pull }) => (pull === null ? [] : [{ node: id, ...pull }])),
    owes: known.flatMap(({ id, owes }) => (owes === null ? [] : [{ node: id, ...owes }])),
    machines,
    differences: buildDifferences(builds, machines),
  }
}

/** 0 when all is well, 5 when a node is missing or unwell, 6 when the cluster does not serve. */
export function exitCodeOf(status: ClusterStatus): ExitCode {
  if (status.canLose < 0) return EXIT.notServing
  const healthy = status.nodes.every((node) => counts(node.health))
  if (status.differs.length > 0) return EXIT.degraded
  return healthy && status.canLose >= Math.floor((status.nodes.length - 1) / 2) ? EXIT.ok : EXIT.degraded
}

function readsOf({ leaseMs, leaseHeld, readRounds }: Known): ClusterStatus['reads'] {
  return { leaseMs, leaseHeld, readRounds }
}

function lossesLeft(of: {
  voters: readonly string[]
  nodes: readonly NodeLine[]
  leader: Known | null
  named: string | null
}): number {
  const { voters, nodes, leader, named } = of
  const majority = Math.floor(voters.length / 2) + 1
  const voting = nodes.filter((node) => voters.includes(node.id))
  const sound = voting.filter((node) => counts(node.health)).length
  const heard = leader === null ? majority : 1 + leader.followers.filter(isHeard).length
  // One that has halted hands over as soon as another voter has caught up; until then nobody answers.
  const serves = named !== null && (leader === null || leader.halted === null)
  if (!serves || heard < majority) return Math.min(-1, sound - majority)
  return Math.max(0, sound - majority)
}

function lineOf(id: string, view: View): NodeLine {
  const { known, leader } = view
  const own = known.find((status) => status.id === id) ?? null
  const follower = leader?.followers.find((candidate) => candidate.id === id)
  const health = healthOf(id, own, view)
  const build = view.builds.get(id) ?? null
  if (own === null) {
    const matchIndex = follower?.matchIndex ?? null
    const unknown = { lagEntries: null, fsyncP99Ms: null, stateHash: null, appliedIndex: null, failures: null }
    return { id, role: 'unknown', health, matchIndex, lagMs: follower?.contactMs ?? null, build, ...unknown }
  }
  return {
    id,
    role: own.role,
    health,
    matchIndex: own === leader ? own.lastIndex : (follower?.matchIndex ?? null),
    lagEntries: lagOf(own, leader),
    lagMs: own === leader ? 0 : (follower?.contactMs ?? null),
    fsyncP99Ms: own.syncP99Ms,
    stateHash: own.stateHash,
    appliedIndex: own.appliedIndex,
    failures: own.failures,
    build,
  }
}

function healthOf(id: string, own: Known | null, { known, leader, diverged, allAnswered }: View): Health {
  const follower = leader?.followers.find((candidate) => candidate.id === id)
  if (own === null) return allAnswered && follower !== undefined && isHeard(follower) ? 'heard' : 'unreachable'
  if (own.halted !== null) return 'halted'
  if (isRefused(id, { known, leader })) return 'refused'
  if (diverged.has(id)) return 'diverged'
  // Of a leader that knows it not at all it is no member (yet).
  if (leader !== null && own !== leader && (follower === undefined || !isHeard(follower))) return 'silent'
  if (own.owes !== null) return 'owes'
  return own.pull !== null || lagOf(own, leader) > BEHIND_ENTRIES ? 'behind' : 'ok'
}

/** It refuses the leader's frames or the leader its; without a leader, somebody's. */
function isRefused(id: string, { known, leader }: { known: readonly Known[]; leader: Known | null }): boolean {
  if (leader === null)
    return known.some((status) => status.id !== id && status.refusals.some(({ peer }) => peer === id))
  if (id === leader.id) return false
  const own = known.find((status) => status.id === id)
  return (
    leader.refusals.some(({ peer }) => peer === id) || own?.refusals.some(({ peer }) => peer === leader.id) === true
  )
}

function counts(health: Health): boolean {
  return health === 'ok' || health === 'heard'
}

function isHeard({ contactMs }: { readonly contactMs: number }): boolean {
  return contactMs <= SILENT_MS
}

function lagOf(own: Known, leader: Known | null): number {
  return Math.max(leader?.commitIndex ?? 0, own.commitIndex) - own.appliedIndex
}

function distinct(refusals: Known['refusals']): Known['refusals'] {
  return [...new Map(refusals.map((refusal) => [`${refusal.peer} ${refusal.code}`, refusal])).values()]
}

function longest(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce((best, list) => (list.length > best.length ? list : best), [])
}
