import { logIndex, type LogIndex, type Millis, type NodeId } from '../../base/brand.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { SnapshotMeta } from '../ports/snapshot-store.ts'
import type { ChosenSnapshot, SnapshotPull, SnapshotPullPorts } from './snapshot-pull.ts'

/** Asks for the first part of the newest. */
const NEWEST = { index: logIndex(0), after: null }
/** Snapshots kept of each voter, newest last: two voters that do not write theirs at the same moment have one in common. */
const HEARD_MAX = 4
/** Rounds without a row more after which a member is given up, and another one is asked. */
const IDLE_ROUNDS_MAX = 3

export interface StateRefetchPorts {
  readonly clock: Clock
  /** Every voter is asked so often, ms. */
  readonly everyMs: Millis
  /** Voters but for this node. */
  others(): readonly NodeId[]
  /** The snapshot must reach this index at least: the own log begins behind it. */
  readonly least: LogIndex
  /** More than half of the other voters must have it; false: one is enough. */
  readonly agreed: boolean
  readonly ask: SnapshotPullPorts['ask']
  readonly pull: Pick<SnapshotPull, 'want' | 'progress' | 'underway'>
}

/**
 * Pulls the snapshot that takes the place of a state which was set aside. The leader offers none, for the log here is intact.
 * Which one is right is what more than half of the other voters say: their snapshots end at the same boundaries, so two of
 * them can be held against each other by index and running hash. With an odd number of voters that is a majority of all; with
 * an even number it is one less, for this node has no state of its own to count. A voter that has halted as `DIVERGED`
 * answers nothing.
 */
export class StateRefetch {
  /** No snapshot has been installed yet. */
  awaits = true
  private readonly ports: StateRefetchPorts
  private readonly heard = new Map<NodeId, readonly ChosenSnapshot[]>()
  private timer: Timer | null = null
  /** What is being pulled, or would be, and who has it; null: nothing is known that may be. */
  private chosen: Candidate | null = null
  /** Rows that were here in the last round, and rounds since there was one more. */
  private rows = 0
  private idle = 0
  private turn = 0

  constructor(ports: StateRefetchPorts) {
    this.ports = ports
  }

  begin(): void {
    this.round()
  }

  /** The snapshot is here, or the node closes. */
  end(): void {
    this.awaits = false
    this.timer?.cancel()
    this.timer = null
  }

  private round(): void {
    const { clock, everyMs, pull } = this.ports
    this.timer = clock.setTimer(everyMs, () => this.round())
    if (pull.underway) this.pull()
    else this.askAll()
  }

  private askAll(): void {
    for (const voter of this.ports.others())
      this.ports.ask(voter, NEWEST, (answer) => {
        if (answer === null || !this.awaits) return
        this.hear(voter, answer.meta)
        if (!this.ports.pull.underway) this.choose()
      })
  }

  private hear(voter: NodeId, { lastIncludedIndex: index, stateHash }: SnapshotMeta): void {
    const before = (this.heard.get(voter) ?? []).filter((known) => known.index !== index)
    this.heard.set(voter, [...before, { index, stateHash }].slice(-HEARD_MAX))
  }

  /** The newest that enough of the others have. */
  private choose(): void {
    const [newest = null] = this.candidates().toSorted((left, right) => right.snapshot.index - left.snapshot.index)
    this.chosen = newest
    this.pull()
  }

  /** Asks those who have it, another one where the one before gives nothing. */
  private pull(): void {
    const { chosen } = this
    const { pull, least } = this.ports
    if (chosen === null) return
    const { snapshot, voters } = chosen
    const rows = pull.progress?.rows ?? 0
    this.idle = rows > this.rows ? 0 : this.idle + 1
    this.rows = rows
    if (this.idle > IDLE_ROUNDS_MAX) {
      this.idle = 0
      this.turn += 1
    }
    const from = voters[this.turn % voters.length]
    if (from !== undefined) pull.want(from, least, snapshot)
  }

  private candidates(): readonly Candidate[] {
    const { least, agreed } = this.ports
    const others = this.ports.others()
    const all = others.flatMap((voter) => (this.heard.get(voter) ?? []).map((snapshot) => ({ voter, snapshot })))
    return all
      .filter(({ snapshot }) => snapshot.index >= least)
      .map(({ snapshot }) => ({
        snapshot,
        voters: all.filter((other) => isSame(other.snapshot, snapshot)).map(({ voter }) => voter),
      }))
      .filter(({ voters }) => 2 * voters.length > others.length || !agreed)
  }
}

interface Candidate {
  readonly snapshot: ChosenSnapshot
  readonly voters: readonly NodeId[]
}

function isSame(left: ChosenSnapshot, right: ChosenSnapshot): boolean {
  return left.index === right.index && left.stateHash === right.stateHash
}
