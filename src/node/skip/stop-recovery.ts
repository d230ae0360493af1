import { type LogIndex, logIndex, type Millis, type NodeId } from '../../base/brand.ts'
import type { Halt, ProposalSink } from '../api.ts'
import { isSame } from '../../session/skipped-parts.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { KnownSkips } from './known-skips.ts'
import { SKIP_MISSED_STOP, type SkipRefusal, type Stop, VoterStops, type VoterStopsPorts } from './voter-stops.ts'

export interface StopRecoveryPorts extends VoterStopsPorts {
  readonly clock: Clock
  /** Whoever has stopped says so again so often, ms: what it says may be lost. */
  readonly everyMs: Millis
  readonly skips: KnownSkips
  commitIndex(): LogIndex
  /** Last index of this node's newest snapshot, written and switched on; 0: none. */
  snapshotIndex(): LogIndex
  /** Says to one member, or to all (null), where this node has stopped; null: nowhere. */
  tell(stop: Stop | null, to: NodeId | null): void
  /** Pulls a snapshot that reaches that index, of any voter. */
  pull(least: LogIndex): void
  /** Nothing is pulled for it any more. */
  pullNoMore(): void
  /** Makes the state anew of this node's own snapshot; what was noted of it from `doubted` on is taken back. */
  reload(doubted: number): void
  /** This node leads, as far as Raft is concerned. */
  leads(): boolean
  /** The log is at a version of the session layer that has SkipEntry. */
  takes(): boolean
  propose(stop: Stop, sink: ProposalSink): void
}

/**
 * The way on for a node that the engine has stopped in the middle of an entry (docs/decisions/skipping-an-entry.md): another
 * voter's snapshot, if one has got past it; or, where every voter has stopped at that part, a SkipEntry, as soon as it is
 * committed. A node that ran what was to be skipped has the same two ways.
 */
export class StopRecovery {
  readonly stops: VoterStops
  private readonly ports: StopRecoveryPorts
  /** Why this node has stopped; null: it has not. */
  private halt: Halt | null = null
  private timer: Timer | null = null
  /** Where it had stopped as it began to make its state anew the last time. */
  private left: Stop | null = null
  /** It is making it anew. */
  private reloading = false

  constructor(ports: StopRecoveryPorts) {
    this.ports = ports
    this.stops = new VoterStops(ports)
  }

  /** This node has halted. */
  halted(halt: Halt): void {
    const { code, index } = halt
    if (code !== 'ENGINE_ERROR' && code !== 'SKIP_MISSED') return
    this.halt = halt
    const { ports } = this
    const own = this.ownStop()
    ports.tell(own, null)
    this.stops.hear(ports.self, own)
    ports.pull(logIndex(index))
    this.again()
    this.look()
  }

  /** It applies again. */
  resumed(): void {
    if (this.halt === null) return
    this.halt = null
    this.reloading = false
    this.timer?.cancel()
    this.timer = null
    this.ports.tell(null, null)
    this.stops.hear(this.ports.self, null)
  }

  /** A member has another process, or asks: it is told. */
  asked(member: NodeId): void {
    if (this.halt !== null) this.ports.tell(this.ownStop(), member)
  }

  /** More may be committed: the entry perhaps that lets this node go on. */
  look(): void {
    const { halt, ports } = this
    if (halt === null) return
    const doubted = this.reloadFrom(halt)
    if (doubted === null) return
    this.left = stopOf(halt)
    this.reloading = true
    ports.pullNoMore()
    ports.reload(doubted)
  }

  /** Nothing is done any more. */
  close(): void {
    this.timer?.cancel()
    this.halt = null
  }

  /** Has the part skipped at which every voter has stopped, if it is this one; `sink` is told. Else says why not. */
  skip(stop: Stop, sink: ProposalSink): SkipRefusal | null {
    const refusal = this.checkSkip(stop)
    if (refusal === null) this.ports.propose(stop, sink)
    return refusal
  }

  /** Why that part cannot be skipped now; null: it can. */
  checkSkip(stop: Stop): SkipRefusal | null {
    const { ports, stops } = this
    if (ports.skips.whereSkipped(stop) !== null) return 'ALREADY_SKIPPED'
    if (!ports.leads()) return 'NOT_LEADER'
    const common = stops.common()
    if (common === null) return 'NOT_STOPPED'
    if (common.index !== stop.index || common.part !== stop.part) return 'STOPPED_ELSEWHERE'
    return ports.takes() ? null : 'NOT_YET_SUPPORTED'
  }

  /** What the others are to know; of a skip that was missed only where their snapshot is the one way on. */
  private ownStop(): Stop | null {
    const { halt } = this
    if (halt === null) return null
    const healsItself = halt.part === undefined && (this.reloading || this.reloadFrom(halt) !== null)
    return healsItself ? null : stopOf(halt)
  }

  /** From where on the state is to be made anew, if the log says so and the own snapshot lies before; else null. */
  private reloadFrom(halt: Halt): number | null {
    const { skips, commitIndex, snapshotIndex } = this.ports
    // It has come here once more, by the log as it is: it would again.
    if (this.left !== null && isSame(this.left, stopOf(halt))) return null
    if (halt.part !== undefined) {
      const at = skips.whereSkipped({ index: halt.index, part: halt.part })
      return at !== null && at <= commitIndex() ? halt.index : null
    }
    const first = skips.namedBy(halt.index)
    return first !== null && snapshotIndex() < first ? first : null
  }

  private again(): void {
    const { clock, everyMs } = this.ports
    this.timer = clock.setTimer(everyMs, () => {
      this.ports.tell(this.ownStop(), null)
      this.again()
    })
  }
}

function stopOf({ index, part = SKIP_MISSED_STOP }: Halt): Stop {
  return { index, part }
}
