import type { LogIndex, Millis } from '../../base/brand.ts'
import type { Clock, Timer } from '../ports/clock.ts'
import type { SnapshotStore, SnapshotView } from '../ports/snapshot-store.ts'
import type { AnswerSnapshot, SnapshotRequest } from '../ports/snapshot-transfer.ts'
import type { StorageFault } from '../ports/storage-fault.ts'

/** Bytes of a part, about: read, checked and packed in a few milliseconds. A row of any size goes alone. */
const PART_BYTES = 256 * 1024
/** A view that nobody has asked for in so long is closed, and the log behind it is no longer kept. */
const VIEW_IDLE_MS = 60_000
/** Views at a time: members that begin together share one, and one that began earlier keeps its own. */
const VIEWS_MAX = 2

interface Served {
  readonly view: SnapshotView
  usedAt: Millis
}

export interface SnapshotSourcePorts {
  readonly store: Pick<SnapshotStore, 'view'>
  readonly clock: Clock
  fault(fault: StorageFault): void
}

/**
 * What other members pull from this one: its newest snapshot, part by part, each read when it is asked for, so that one part
 * at a time is in memory and no pull holds the loop up for longer than a part takes.
 */
export class SnapshotSource {
  private readonly ports: SnapshotSourcePorts
  private served: readonly Served[] = []
  private timer: Timer | null = null
  private closed = false

  constructor(ports: SnapshotSourcePorts) {
    this.ports = ports
  }

  /** Last index of the oldest snapshot that somebody is pulling: what follows it in the log is wanted next. Null: nobody is. */
  get pulled(): LogIndex | null {
    const [oldest] = this.served.map(({ view }) => view.meta.lastIncludedIndex).sort((left, right) => left - right)
    return oldest ?? null
  }

  answer({ index, after }: Pick<SnapshotRequest, 'index' | 'after'>, done: AnswerSnapshot): void {
    const known = this.served.find(({ view }) => view.meta.lastIncludedIndex === index)
    if (known !== undefined) return this.read(known, after, done)
    this.ports.store.view((fault, view) => {
      if (fault !== null) this.ports.fault(fault)
      if (view === null || this.closed) {
        view?.close()
        return done(null)
      }
      const newest = view.meta.lastIncludedIndex
      this.read(this.keep(view), newest === index ? after : null, done)
    })
  }

  /** Nothing is served any more. */
  close(): void {
    this.closed = true
    this.timer?.cancel()
    for (const { view } of this.served) view.close()
    this.served = []
  }

  private keep(view: SnapshotView): Served {
    const same = this.served.find((served) => served.view.meta.lastIncludedIndex === view.meta.lastIncludedIndex)
    if (same !== undefined) {
      view.close()
      return same
    }
    const served = { view, usedAt: this.ports.clock.monotonicMs() }
    const byUse = [...this.served, served].sort((left, right) => right.usedAt - left.usedAt)
    for (const { view: idle } of byUse.slice(VIEWS_MAX)) idle.close()
    this.served = byUse.slice(0, VIEWS_MAX)
    this.watch()
    return served
  }

  private read(served: Served, after: string | null, done: AnswerSnapshot): void {
    const { view } = served
    served.usedAt = this.ports.clock.monotonicMs()
    view.read(after, PART_BYTES, (fault, part) => {
      if (fault !== null) this.ports.fault(fault)
      if (part === null) this.served = this.served.filter((other) => other !== served)
      done(part === null || this.closed ? null : { meta: view.meta, total: view.total, after, part })
    })
  }

  private watch(): void {
    this.timer ??= this.ports.clock.setTimer(VIEW_IDLE_MS, () => {
      this.timer = null
      const since = this.ports.clock.monotonicMs() - VIEW_IDLE_MS
      for (const { view, usedAt } of this.served) if (usedAt <= since) view.close()
      this.served = this.served.filter(({ usedAt }) => usedAt > since)
      if (this.served.length > 0) this.watch()
    })
  }
}
