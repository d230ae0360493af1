import { table } from '../terminal/output.ts'

/** What one node said of itself, and nothing when it did not answer. Indexes are log indexes, times milliseconds. */
export interface NodeReport {
  readonly endpoint: string
  readonly status: {
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
    readonly voters: readonly string[]
  } | null
}

/** One node in the table of `holdfast status`; null where nobody knows. */
export interface NodeLine {
  readonly id: string
  readonly role: string
  /** `ok`, `behind` (does not apply what is committed), `unreachable`. */
  readonly health: 'ok' | 'behind' | 'unreachable'
  readonly matchIndex: number | null
  /** Entries that are committed and that this node has not applied. */
  readonly lagEntries: number | null
  /** Since the leader last heard from it; 0 for the leader. */
  readonly lagMs: number | null
  readonly fsyncP99Ms: number | null
  readonly stateHash: string | null
  readonly appliedIndex: number | null
}

/** What `holdfast status --json` prints. */
export interface ClusterStatus {
  readonly leader: string | null
  readonly term: number
  readonly nodes: readonly NodeLine[]
  /** How many more voters may fail before the cluster stops; negative is none and already stopped. */
  readonly canLose: number
}

/** More entries than this behind is a node that does not keep up, rather than one that is about to apply. */
const BEHIND_ENTRIES = 10_000

type Known = NonNullable<NodeReport['status']>

/** One view of the cluster from what its nodes said, the leader's word first. */
export function clusterStatus(reports: readonly NodeReport[]): ClusterStatus {
  const known = reports.flatMap((report) => (report.status === null ? [] : [report.status]))
  const term = Math.max(0, ...known.map((status) => status.term))
  const leader = known.find((status) => status.role === 'leader' && status.term === term) ?? null
  const voters = leader?.voters ?? longest(known.map((status) => status.voters))
  const ids = [...new Set([...voters, ...known.map((status) => status.id)])].sort()
  const nodes = ids.map((id) => lineOf(id, known.find((status) => status.id === id) ?? null, leader))
  const alive = nodes.filter((node) => voters.includes(node.id) && node.health !== 'unreachable').length
  const majority = Math.floor(voters.length / 2) + 1
  const canLose = leader === null ? Math.min(-1, alive - majority) : alive - majority
  return { leader: leader?.id ?? null, term, nodes, canLose }
}

/** The cluster serves, and can lose as many nodes as a healthy one of its size. */
export function isHealthy(status: ClusterStatus): boolean {
  const voters = status.nodes.length
  return status.canLose >= Math.floor((voters - 1) / 2) && status.nodes.every((node) => node.health === 'ok')
}

/** One screen for a person. */
export function statusText(status: ClusterStatus): string {
  const dash = (value: string | number | null): string => (value === null ? '-' : String(value))
  const rows = status.nodes.map((node) => [
    node.id,
    node.role,
    node.health,
    dash(node.appliedIndex),
    dash(node.lagEntries),
    dash(node.lagMs === null ? null : Math.round(node.lagMs)),
    dash(node.fsyncP99Ms === null ? null : node.fsyncP99Ms.toFixed(2)),
    dash(node.stateHash === null ? null : node.stateHash.slice(0, 12)),
  ])
  const header = ['node', 'role', 'health', 'applied', 'lag entries', 'lag ms', 'fsync p99 ms', 'state hash']
  const verdict = status.canLose < 0 ? 'no quorum: the cluster does not serve' : `can lose ${status.canLose} more`
  return `leader ${status.leader ?? 'none'}, term ${status.term}, ${verdict}\n\n${table([header, ...rows])}`
}

function lineOf(id: string, own: Known | null, leader: Known | null): NodeLine {
  const follower = leader?.followers.find((candidate) => candidate.id === id)
  if (own === null) {
    const matchIndex = follower?.matchIndex ?? null
    const unknown = { lagEntries: null, fsyncP99Ms: null, stateHash: null, appliedIndex: null }
    return { id, role: 'unknown', health: 'unreachable', matchIndex, lagMs: follower?.contactMs ?? null, ...unknown }
  }
  const committed = Math.max(leader?.commitIndex ?? 0, own.commitIndex)
  const lagEntries = committed - own.appliedIndex
  return {
    id,
    role: own.role,
    health: lagEntries > BEHIND_ENTRIES ? 'behind' : 'ok',
    matchIndex: own === leader ? own.lastIndex : (follower?.matchIndex ?? null),
    lagEntries,
    lagMs: own === leader ? 0 : (follower?.contactMs ?? null),
    fsyncP99Ms: own.syncP99Ms,
    stateHash: own.stateHash,
    appliedIndex: own.appliedIndex,
  }
}

function longest(lists: readonly (readonly string[])[]): readonly string[] {
  return lists.reduce((best, list) => (list.length > best.length ? list : best), [])
}
