import { composeNode, type NodeParts } from '../../assembly/compose-node.ts'
import { logOpener } from '../../assembly/log-opener.ts'
import { groupId, type NodeId } from '../../base/brand.ts'
import { Random } from '../../base/random.ts'
import type { Limits } from '../../codec/entry/payload.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { inProcessServer } from '../../gateway/in-process-server.ts'
import type { Mount } from '../../machine/index.ts'
import type { Driver } from '../../node/driver.ts'
import type { LogListener } from '../../node/ports/log-store.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import type { SnapshotStore } from '../../node/ports/snapshot-store.ts'
import type { RaftState } from '../../raft/index.ts'
import type { LeaseTerms } from '../../raft/types.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import { openAppliedTrail } from '../../storage/trail/applied-trail-file.ts'
import { MemorySnapshots, memorySnapshotStore } from '../../storage/snapshot/memory-snapshot-store.ts'
import type { WriteTrace } from '../../trace/line.ts'
import { Violation } from '../checkers/violation.ts'
import type { NodeObserver } from './node-observer.ts'
import type { Scheduler } from './scheduler.ts'
import { type ClockSkew, SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk, type DiskWeather } from './simulated-disk.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

export interface SimulatedNodeOptions {
  readonly id: NodeId
  readonly voters: readonly NodeId[]
  readonly seed: number
  readonly scheduler: Scheduler
  readonly network: SimulatedNetwork
  /** Looks at what the node does, over all its processes. */
  readonly observer: NodeObserver
  readonly disk: DiskWeather
  readonly clock: ClockSkew
  readonly limits: Limits
  /** Server requests that may go out beyond the last ack; null: the default. */
  readonly credit: number | null
  /** Entries in one AppendEntries; null: the default. */
  readonly appendEntriesMax: number | null
  readonly segmentBytes: number
  /** Leases that leaders put in force; null: none. */
  readonly leases?: LeaseTerms | null
  /** Looks at every step of the core of a node; absent: nobody does. */
  readonly check?: (before: RaftState, next: RaftState, id: NodeId) => void
  /** Is given what the core of a node does, step by step; absent: nobody is. */
  readonly trace?: WriteTrace | undefined
  /** Functions of the machines are rehearsed, as in development (machines.md §2). Default false. */
  readonly development?: boolean
  /** The machines of one process of node `id`. `work`: lets the process work for so many µs (`SimulatedClock.work`). */
  mount(work: (micros: number) => void, id: NodeId): Mount
}

/** One node over its restarts: the disk stays, each process is a new driver on it. */
export class SimulatedNode {
  readonly id: NodeId
  disk: SimulatedDisk
  driver: Driver | null = null
  machine: SessionStateMachine | null = null
  /** Where clients connect; null while the process does not run or opens its log. */
  server: ReturnType<typeof inProcessServer> | null = null
  snapshotsWritten = 0
  /** Its disk is why it does not come up; false: nothing that happened to it is. */
  refused: (fault: StorageFault) => boolean = () => false
  private readonly options: SimulatedNodeOptions
  private snapshots = new MemorySnapshots()
  private clock: SimulatedClock | null = null
  /** An open of the log has ended once: from then on none at all is a lost one. */
  private started = false
  private starts = 0
  private replacements = 0
  /** Its log may be cut off before the damage when it is opened next, and owe what was behind. */
  private damaged = false
  /** Opens that came upon damage which made this node owe something. */
  repairs = 0
  readonly address: string

  constructor(options: SimulatedNodeOptions) {
    this.options = options
    this.id = options.id
    this.address = addressOf(options.id)
    this.disk = this.newDisk()
  }

  /** Number of the process: rises with every start. */
  get process(): number {
    return this.starts
  }

  /** Of the disk that it has now. */
  get instance(): string {
    return `instance-${this.id}-${this.replacements}`
  }

  /** Snapshots of other members that its disk has taken over. */
  get snapshotsInstalled(): number {
    return this.snapshots.installs
  }

  get running(): boolean {
    return this.clock !== null
  }

  start(): void {
    if (this.running) return
    this.starts += 1
    const clock = new SimulatedClock(this.options.scheduler, this.options.clock)
    this.clock = clock
    const machine = composeNode(this.parts(clock), (fault, composed) => {
      if (this.clock !== clock) return
      if (fault !== null && this.refused(fault)) return
      if (fault !== null || composed === null) {
        throw new Violation('a node opens what it wrote', { node: this.id, fault })
      }
      const { driver, gateway } = composed
      this.driver = driver
      const observed = this.options.observer.composed({ driver, gateway, machine })
      this.server = inProcessServer(observed, (callback) => clock.defer(callback))
      driver.start()
    })
    this.machine = machine
  }

  /** `kill -9`, or with `powerLoss` the machine's: what was not synced is gone or not, sector by sector. */
  crash(powerLoss: boolean): void {
    if (!this.running) return
    this.clock?.stop()
    this.clock = null
    this.driver = null
    this.machine = null
    this.server = null
    this.options.network.detach(this.id)
    this.disk.crash(powerLoss)
    this.snapshots.crash()
  }

  /** The machine is lost and another one takes its name: an empty disk, with an instance id of its own. */
  replaceDisk(): void {
    this.crash(true)
    this.replacements += 1
    this.started = false
    this.damaged = false
    this.disk = this.newDisk()
    this.snapshots = new MemorySnapshots()
    this.options.observer.diskReplaced()
  }

  /** The machine fails, and a bit of its log has turned; `snapshotToo`: its snapshot cannot be read any more either. */
  damage(random: Random, snapshotToo: boolean): void {
    this.crash(true)
    if (!this.started) return
    const rotten = this.disk.rot('.wal', random)
    if (!rotten && !snapshotToo) return
    if (snapshotToo) this.snapshots = new MemorySnapshots()
    this.damaged = true
    this.options.observer.diskDamaged?.()
  }

  private newDisk(): SimulatedDisk {
    const { scheduler, seed, disk } = this.options
    return new SimulatedDisk(scheduler, new Random(seed, 11, indexOf(this.options) + 100 * this.replacements), disk)
  }

  private parts(clock: SimulatedClock): NodeParts {
    const { id, voters, seed, network, limits, credit, appendEntriesMax } = this.options
    const { leases, check, trace, observer, mount, development } = this.options
    const position = indexOf(this.options)
    const machines = mount((micros) => clock.work(micros), id)
    return {
      identity: { clusterId: 'simulated', group: groupId(0), id, instance: this.instance },
      initialVoters: voters.map((voter) => ({ id: voter, address: addressOf(voter) })),
      machines,
      limits,
      leases,
      ...(credit === null ? {} : { credit }),
      development,
      raft: appendEntriesMax === null ? {} : { appendEntriesMax },
      clock,
      codec: sessionCodec,
      room: this.disk.room,
      snapshots: this.countedSnapshots(memorySnapshotStore(this.snapshots, (run) => this.later(clock, run))),
      ...(check === undefined ? {} : { check: (before: RaftState, next: RaftState) => check(before, next, id) }),
      trace,
      seed: seed * 1000 + position * 100 + this.starts,
      openLog: this.openLog(clock),
      // What a replay makes of the log is compared with what was noted before the crash, as far as the disk still has it.
      openTrail: openAppliedTrail({
        disk: this.disk.open(),
        directory: 'log',
        machines: machines.userMachine.machines ?? [],
      }),
      openTransport: (listener) => {
        const transport = network.transport(id, listener)
        return {
          ...transport,
          send: (frame) => {
            observer.sending(frame)
            transport.send(frame)
            observer.sent?.(frame)
          },
        }
      },
    }
  }

  private countedSnapshots(store: SnapshotStore): SnapshotStore {
    return {
      ...store,
      commit: (generation, snapshot, done) =>
        store.commit(generation, snapshot, (fault, value) => {
          this.snapshotsWritten += 1
          done(fault, value)
        }),
    }
  }

  private later(clock: SimulatedClock, run: () => void): void {
    this.options.scheduler.after(this.disk.weather.syncMin, () => {
      if (this.clock === clock) run()
    })
  }

  /** The product's log on the simulated disk, with the observer between it and the driver. */
  private openLog(clock: SimulatedClock): NodeParts['openLog'] {
    const { segmentBytes, observer } = this.options
    const { started, damaged } = this
    const open = logOpener({
      disk: this.disk.open(),
      directory: 'log',
      group: groupId(0),
      started,
      clock,
      segmentBytes,
      // Else what this node did to its own log would be repaired, and no test would see it.
      repairs: damaged,
    })
    return (snapshot, listener, done) => {
      const observed: LogListener = {
        onPersisted: (write) => {
          if (this.clock !== clock) return
          observer.persisted(write)
          listener.onPersisted(write)
          observer.persistenceTold?.(write)
        },
        onFault: (fault) => listener.onFault(fault),
      }
      open(snapshot, observed, (fault, opened) => {
        if (this.clock !== clock) return
        if (fault !== null || opened === null) return done(fault, null)
        this.started = true
        const { store, recovered } = opened
        if (damaged && recovered.obligation !== null) this.repairs += 1
        this.damaged = false
        observer.logOpened(store, recovered, (observedStore) => done(null, { store: observedStore, recovered }))
      })
    }
  }
}

function addressOf(id: NodeId): string {
  return `${id}:1`
}

function indexOf(options: SimulatedNodeOptions): number {
  return options.voters.indexOf(options.id)
}
