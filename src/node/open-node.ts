import { logIndex } from '../base/brand.ts'
import { ApplyHalt } from '../session/run/halt.ts'
import { Driver } from './driver.ts'
import { endRestore } from './restored-state.ts'
import type { AwaitedState, DriverOptions } from './options.ts'
import type { AppliedTrail, OpenAppliedTrail } from './ports/applied-trail.ts'
import type { LogListener, LogStore, RecoveredLog } from './ports/log-store.ts'
import type { PeerListener, PeerTransport } from './ports/peer-transport.ts'
import type { SnapshotMeta } from './ports/snapshot-store.ts'
import type { StorageDone, StorageFault } from './ports/storage-fault.ts'

type Opened = 'log' | 'recovered' | 'snapshot' | 'trail' | 'halt' | 'transport'

/** What a node is opened from: options of the driver, and how to open what it stands on. */
export interface OpenNodeOptions extends Omit<DriverOptions, Opened> {
  /** Opens the log above a snapshot's position (or null), reporting to `listener`. */
  openLog(
    snapshot: SnapshotMeta | null,
    listener: LogListener,
    done: StorageDone<{ store: LogStore; recovered: RecoveredLog } | null>,
  ): void
  /** Opens what earlier processes noted of their state. Absent: nothing is noted, and no replay is compared. */
  readonly openTrail?: OpenAppliedTrail
  /** Starts the transport; frames may arrive from the next turn on. */
  openTransport(listener: PeerListener): PeerTransport
}

/**
 * Opens one node: the snapshot's rows into the state machine, then the log, then the driver over both; replay is the
 * driver's first applies. The driver is given to `done` before its first event (`driver.start()`).
 */
export function openNode(options: OpenNodeOptions, done: StorageDone<Driver | null>): void {
  const { machine, codec } = options
  options.snapshots.load(
    (rows) => {
      for (const row of rows) machine.restoreRow(row.key, codec.decodeValue(row.value))
    },
    (fault, snapshot) => {
      if (fault !== null) {
        done(fault, null)
        return
      }
      const { awaited = null } = options
      if (snapshot === null && awaited !== null) {
        const { meta } = awaited
        return openLogAndDriver(options, { snapshot: meta, awaited, halt: stateAwaited(awaited) }, done)
      }
      // A process before this one has installed it, and died before it could say so.
      if (snapshot !== null) awaited?.arrived()
      const halt = snapshot === null ? null : endRestore(machine, snapshot)
      openLogAndDriver(options, { snapshot, awaited: null, halt }, done)
    },
  )
}

function stateAwaited({ meta, agreed }: AwaitedState): ApplyHalt {
  const { lastIncludedIndex: index } = meta
  const whose = agreed ? 'that more than half of the other voters have' : 'of any other voter'
  const message =
    `its state up to entry ${index} was set aside, and the snapshot ${whose} is to take its place. Until then it votes and ` +
    'keeps its log, and serves nobody. Keep the others running: nothing else is to be done.'
  return new ApplyHalt('STATE_AWAITED', logIndex(index), message)
}

function openLogAndDriver(
  options: OpenNodeOptions,
  { snapshot, awaited, halt }: Pick<DriverOptions, 'snapshot' | 'awaited' | 'halt'>,
  done: StorageDone<Driver | null>,
): void {
  let driver: Driver | null = null
  let early: StorageFault | null = null
  const listener: LogListener & PeerListener = {
    onPersisted: (write) => driver?.onPersisted(write),
    onFault: (fault) => {
      early ??= fault
      driver?.onFault(fault)
    },
    onFrame: (frame) => driver?.onFrame(frame),
    onPull: (request, answer) => (driver === null ? answer(null) : driver.onPull(request, answer)),
    onConnected: (peer) => driver?.onConnected(peer),
    onUnreachable: (peer) => driver?.onUnreachable(peer),
    isRemoved: (instance) => driver?.membership.isRemoved(instance) ?? false,
    onRemoved: () => driver?.membership.toldRemoved(),
  }
  options.openLog(snapshot, listener, (fault, opened) => {
    if (fault !== null || opened === null) {
      done(fault, null)
      return
    }
    const { store: log, recovered } = opened
    const openTrail = options.openTrail ?? openNoTrail
    openTrail(listener.onFault, (unread, trail) => {
      const met = unread ?? early
      if (met !== null || trail === null) {
        log.close(() => done(met, null))
        return
      }
      const transport = options.openTransport(listener)
      driver = new Driver({ ...options, log, recovered, snapshot, awaited, trail, halt, transport })
      done(null, driver)
    })
  })
}

const NO_TRAIL: AppliedTrail = {
  recorded: [],
  recordedBy: [],
  append: () => undefined,
  discardUpTo: () => undefined,
  discardAbove: () => undefined,
  close: (done) => done(),
}
const openNoTrail: OpenAppliedTrail = (_onFault, done) => done(null, NO_TRAIL)
