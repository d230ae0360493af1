import { logIndex, type LogIndex } from '../../base/brand.ts'
import { unpackRows } from '../../codec/rows/packed-rows.ts'
import type { StateSuccessor } from '../../session/state-machine.ts'
import type { ApplyPipeline } from '../apply/apply-pipeline.ts'
import type { DriverOptions } from '../options.ts'
import type { SnapshotMeta, SnapshotView } from '../ports/snapshot-store.ts'
import type { StorageFault } from '../ports/storage-fault.ts'
import { stepRestore } from '../restored-state.ts'

/** Bytes of rows read at a time. */
const PART_BYTES = 256 * 1024

export interface OwnReloadPorts {
  pipeline(): ApplyPipeline
  stopped(): boolean
  /** The machine's state is that of this node's own snapshot at that index; 0: it is empty. Applies from there on. */
  reloaded(index: LogIndex): void
  fault(fault: StorageFault): void
}

/**
 * Puts this node's own snapshot, or the empty state before the first, in the place of a state that is nobody's, while it runs:
 * as a restart would, for the log above it is all here. A snapshot that was being written meanwhile is given up.
 */
export class OwnReload {
  private readonly options: DriverOptions
  private readonly ports: OwnReloadPorts
  /** One is going on. */
  underway = false

  constructor(options: DriverOptions, ports: OwnReloadPorts) {
    this.options = options
    this.ports = ports
  }

  begin(): void {
    if (this.underway) return
    this.underway = true
    this.ports.pipeline().retire(() => {
      const { snapshots } = this.options
      snapshots.dropStaged((dropped) => {
        if (this.isOver(dropped)) return
        snapshots.view((fault, view) => {
          if (this.isOver(fault)) return
          const successor = this.options.machine.successor()
          if (view === null) this.end(successor, null)
          else this.read({ view, successor, after: null })
        })
      })
    })
  }

  private read(reload: Reload): void {
    const { view, successor } = reload
    view.read(reload.after, PART_BYTES, (fault, part) => {
      if (this.isOver(fault)) return view.close()
      if (part === null || part.lastKey === null) {
        view.close()
        return this.restore(successor, view.meta)
      }
      const { codec } = this.options
      for (const { key, value } of unpackRows(part.bytes)) {
        if (value !== null) successor.restoreRow(key, codec.decodeValue(value))
      }
      this.read({ ...reload, after: part.lastKey })
    })
  }

  /** What is derived from the rows is rebuilt within a turn's budget at a time. */
  private restore(successor: StateSuccessor, meta: SnapshotMeta): void {
    const { clock } = this.options
    this.ports.pipeline().inTurn((until) => {
      let outcome = stepRestore(successor, meta)
      while (outcome === 'more' && clock.monotonicMs() < until) outcome = stepRestore(successor, meta)
      if (outcome === 'more') this.restore(successor, meta)
      else this.end(successor, meta)
    })
  }

  private end(successor: StateSuccessor, meta: SnapshotMeta | null): void {
    if (this.ports.stopped()) return
    this.underway = false
    successor.takeOver()
    this.ports.reloaded(meta?.lastIncludedIndex ?? logIndex(0))
  }

  private isOver(fault: StorageFault | null): boolean {
    if (fault !== null) this.ports.fault(fault)
    return fault !== null || this.ports.stopped()
  }
}

interface Reload {
  readonly view: SnapshotView
  readonly successor: StateSuccessor
  readonly after: string | null
}
