import { logIndex, type LogIndex } from '../../base/brand.ts'
import type { HaltCode } from '../../session/run/halt.ts'
import { BACKUP_FORMAT, type BackupFacts } from '../../codec/backup/backup-facts.ts'
import { readHeader } from '../../codec/entry/record.ts'
import type { LogStore } from '../ports/log-store.ts'
import type { SnapshotMeta, SnapshotStore, SnapshotView } from '../ports/snapshot-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import { BackupRun } from './backup-run.ts'

/** Backups of one node that are read at once: each holds a view of the snapshot, and some bytes. */
const BACKUPS_MAX = 2

/** Which entries besides those that lead from the snapshot to the end. */
export interface BackupRequest {
  /** Also entries below the snapshot, as far as the log is kept. */
  readonly withLog: boolean
  /** With them none up to this one; 0: all that are kept. */
  readonly sinceIndex: number
}

/** What the reader of a node's stores knows of its state at one moment. */
export type BackupMoment = Omit<BackupFacts, 'format' | 'snapshot' | 'rows' | 'log' | 'end'> & {
  /** The entry applied last, and the running hash there. */
  readonly index: LogIndex
  readonly stateHash: string
}

export interface BackupPorts {
  readonly store: Pick<SnapshotStore, 'view'>
  readonly log: Pick<LogStore, 'read' | 'firstIndex'>
  /** As of now. */
  moment(): BackupMoment
  /** Nothing is read any more. */
  stopped(): boolean
  /** Why this node's state may not be what the cluster has; null: it is. */
  halted(): HaltCode | null
  /** The state is made anew, and is older than what was told of it. */
  isBack(): boolean
  fault(fault: StorageFault): void
}

/** Why there is no backup. */
export type BackupRefusal =
  /** As many are being made as may be. */
  | 'OVERLOADED'
  /** Nothing is applied yet, or its log goes no further back: state and log do not meet. */
  | 'NOTHING_TO_BACK_UP'
  /** The log does not reach back to the entry that was named. */
  | 'LOG_TOO_SHORT'
  | 'SHUTTING_DOWN'
  /** The node has halted: its state may be none of the cluster's, and a backup of it would make another cluster of that. */
  | HaltCode

/**
 * What a backup of this node is read from, whether it leads or not: the newest snapshot and the entries that lead from there to
 * the one applied last. The log comes first, so that it need not be kept for long; then the rows, part by part as they are
 * asked for. Nothing is written or proposed (storage.md §6.1).
 */
export class BackupSource {
  private readonly ports: BackupPorts
  private readonly running = new Set<BackupRun>()
  /** Being opened. */
  private opening = 0

  constructor(ports: BackupPorts) {
    this.ports = ports
  }

  /** The log from behind this entry on is being read; null: nothing of it is. */
  get pinned(): LogIndex | null {
    const pins = [...this.running].flatMap(({ pinned }) => (pinned === null ? [] : [pinned]))
    return pins.length === 0 ? null : logIndex(Math.min(...pins))
  }

  /** Calls back once. Whoever gets a run closes it. */
  open(request: BackupRequest, done: (run: BackupRun | BackupRefusal) => void): void {
    const refused = this.refusal()
    if (refused !== null) return done(refused)
    if (this.running.size + this.opening >= BACKUPS_MAX) return done('OVERLOADED')
    this.opening += 1
    this.ports.store.view((fault, view) => {
      this.opening -= 1
      if (fault !== null) this.ports.fault(fault)
      const refused = fault === null ? this.refusal() : 'SHUTTING_DOWN'
      if (refused !== null) {
        view?.close()
        return done(refused)
      }
      this.begin(request, view, done)
    })
  }

  /** Ends every backup. */
  close(): void {
    for (const run of [...this.running]) run.close()
  }

  private refusal(): BackupRefusal | null {
    const { ports } = this
    if (ports.stopped()) return 'SHUTTING_DOWN'
    return ports.halted() ?? (ports.isBack() ? 'NOTHING_TO_BACK_UP' : null)
  }

  private begin(
    { withLog, sinceIndex }: BackupRequest,
    view: SnapshotView | null,
    done: (run: BackupRun | BackupRefusal) => void,
  ): void {
    const { log } = this.ports
    const moment = this.ports.moment()
    const stateIndex = view?.meta.lastIncludedIndex ?? 0
    const least = withLog ? Math.max(log.firstIndex, sinceIndex + 1) : stateIndex + 1
    const refuse = (refusal: BackupRefusal): void => {
      view?.close()
      done(refusal)
    }
    if (moment.index === 0 || log.firstIndex > stateIndex + 1) return refuse('NOTHING_TO_BACK_UP')
    if (withLog && sinceIndex > 0 && (log.firstIndex > sinceIndex + 1 || sinceIndex > moment.index))
      return refuse('LOG_TOO_SHORT')
    // A state below the end needs every entry in between, whatever was asked for.
    const first = logIndex(Math.min(least, stateIndex + 1))
    const run = new BackupRun({ ...this.ports, view, first, last: moment.index }, () => this.running.delete(run))
    this.running.add(run)
    this.withEnd(moment, view?.meta ?? null, (end) => {
      if (end === null) {
        run.close()
        return done('SHUTTING_DOWN')
      }
      const { index: _index, stateHash: _hash, ...known } = moment
      run.facts = {
        format: BACKUP_FORMAT,
        ...known,
        snapshot: view?.meta ?? null,
        rows: view?.total ?? 0,
        log: first > moment.index ? null : { first, last: moment.index },
        end,
      }
      done(run)
    })
  }

  /** What the last entry says of itself: its record, or the snapshot that ends with it. */
  private withEnd(
    { index, stateHash }: BackupMoment,
    meta: SnapshotMeta | null,
    done: (end: BackupFacts['end'] | null) => void,
  ): void {
    if (meta !== null && meta.lastIncludedIndex === index) {
      const { lastIncludedTerm: term, chain, lease, now } = meta
      return done({ index, term, chain, lease, now, stateHash })
    }
    this.ports.log.read({ first: index, last: index, maxBytes: 1 }, (fault, { records }) => {
      if (fault !== null) this.ports.fault(fault)
      if (fault !== null || records.length === 0) return done(null)
      const { term, chain, lease, now } = readHeader(records, 0)
      done({ index, term, chain, lease, now, stateHash })
    })
  }
}
