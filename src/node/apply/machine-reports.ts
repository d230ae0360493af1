import { errorText } from '../../base/error-text.ts'
import type { MachineFailure, MachineLine, MachinePart, MachineReport } from '../../session/machine-report.ts'

/** Entries whose errors are remembered for the answers about them. */
const REMEMBERED_MAX = 256

/** A failure as its node tells it. */
export interface ToldFailure extends MachineFailure {
  /** The entry was in this node's log before the process began: it may have been told by the process before. */
  readonly replayed: boolean
}

/** What a node's machines did wrong since the process began, replayed entries and queries counted. */
export interface MachineFailures {
  readonly total: number
  readonly last: (MachinePart & Pick<MachineFailure, 'index' | 'reason'>) | null
}

/** What the reports of a node's machine need of the node. */
export interface ReportHost {
  /** Last entry of the log as it was when the node opened. */
  readonly recoveredIndex: number
  /** This node leads the term in which that entry was proposed. */
  ledHere(index: number): boolean
  tell(report: MachineLine | ToldFailure): void
}

/**
 * What a node tells of its machines (sessions.md §3). Failures: all of them, on every node that applies the entry. Lines of
 * `ctx.log`: only an entry that this node proposed itself, as leader of the term that still lasts. So no line is told twice
 * in a cluster, neither on replay (a new process leads a new term) nor by followers; what an old leader had not applied when
 * it fell is told by nobody.
 */
export class MachineReports {
  private host: ReportHost | null = null
  private total = 0
  private last: MachineFailures['last'] = null
  /** What was thrown, as text, by entry; queries apart. */
  private readonly thrown = new Map<string, string>()

  /** Before the first entry is applied; what is reported earlier is only counted. */
  attach(host: ReportHost): void {
    this.host = host
  }

  get failures(): MachineFailures {
    return { total: this.total, last: this.last }
  }

  /** What failed in that entry, or in a query at it: for people, of this process alone. Null: not known here (any more). */
  errorAt(index: number, kind: 'entry' | 'query'): string | null {
    return this.thrown.get(`${kind} ${index}`) ?? null
  }

  /** Takes what the state machine reports. */
  take(report: MachineReport): void {
    const { host } = this
    if (report.kind === 'line') {
      if (host?.ledHere(report.index) === true) host.tell(report)
      return
    }
    const { part, index, reason } = report
    this.total += 1
    this.last = { ...part, index, reason }
    this.remember(`${part.kind === 'query' ? 'query' : 'entry'} ${index}`, report.error)
    const replayed = part.kind !== 'query' && host !== null && index <= host.recoveredIndex
    host?.tell({ ...report, replayed })
  }

  private remember(key: string, error: unknown): void {
    if (error === null) return
    // The youngest stand last.
    this.thrown.delete(key)
    this.thrown.set(key, errorText(error))
    if (this.thrown.size <= REMEMBERED_MAX) return
    for (const oldest of this.thrown.keys()) {
      this.thrown.delete(oldest)
      return
    }
  }
}
