import { composeNode, type NodeParts } from '../assembly/compose-node.ts'
import { logOpener } from '../assembly/log-opener.ts'
import { groupId, logIndex, type NodeId } from '../base/brand.ts'
import { Random } from '../base/random.ts'
import type { Limits } from '../codec/entry/payload.ts'
import { recordChain, recordTerm } from '../codec/entry/record.ts'
import { forEachOffset } from '../codec/entry/batch.ts'
import { sessionCodec } from '../codec/session-codec.ts'
import type { InProcessServer } from '../client/connection/in-process.ts'
import type { Mount } from '../machine/index.ts'
import type { Driver } from '../node/driver.ts'
import { inProcessServer } from '../gateway/in-process-server.ts'
import type { LogListener, LogStore, RecoveredLog } from '../node/ports/log-store.ts'
import type { PeerTransport } from '../node/ports/peer-transport.ts'
import type { SnapshotStore } from '../node/ports/snapshot-store.ts'
import { checkState, checkTransition } from '../raft/index.ts'
import type { SessionStateMachine } from '../session/session-state-machine.ts'
import { MemorySnapshots, memorySnapshotStore } from '../storage/snapshot/memory-snapshot-store.ts'
import { witnessDeliveries } from './checkers/delivery-witness.ts'
import type { Invariants } from './checkers/invariants.ts'
import { Violation } from './checkers/violation.ts'
import { LogWitness, type WitnessedEntry } from './log-witness.ts'
import type { Scheduler } from './scheduler.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk, type DiskWeather } from './simulated-disk.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

/** Entries from one look at all of a machine's state to the next: looking after each would cost the simulator 7 %. */
const STATE_CHECK_INTERVAL = 16

export interface SimulatedNodeOptions {
  readonly id: NodeId
  readonly voters: readonly NodeId[]
  readonly seed: number
  readonly scheduler: Scheduler
  readonly network: SimulatedNetwork
  readonly invariants: Invariants
  readonly disk: DiskWeather
  readonly clock: { readonly ratePpm: number; readonly wallOffsetMs: number }
  readonly limits: Limits
  /** Server requests that may go out beyond the last ack. */
  readonly credit: number
  /** Entries in one AppendEntries; null: the default. */
  readonly appendEntriesMax: number | null
  readonly segmentBytes: number
  mount(): Mount
}

/** One node over its restarts: the disk stays, each process is a new driver on it. */
export class SimulatedNode {
  readonly id: NodeId
  disk: SimulatedDisk
  driver: Driver | null = null
  witness: LogWitness | null = null
  machine: SessionStateMachine | null = null
  /** Where clients connect; null while the process does not run or opens its log. */
  server: InProcessServer | null = null
  snapshotsWritten = 0
  private readonly options: SimulatedNodeOptions
  /** What was on the disks that were replaced: durable there when it was counted. */
  private readonly replacedDisks: LogWitness[] = []
  private snapshots = new MemorySnapshots()
  private clock: SimulatedClock | null = null
  /** An open of the log has ended once: from then on none at all is a lost one. */
  private started = false
  private starts = 0
  private replacements = 0
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
      if (fault !== null || composed === null) {
        throw new Violation('a node opens what it wrote', { node: this.id, fault })
      }
      const { driver, gateway } = composed
      this.driver = driver
      machine.checkInvariants()
      driver.listen({
        applied: (applied) => {
          if (applied.index % STATE_CHECK_INTERVAL === 0) machine.checkInvariants()
          this.options.invariants.applied(this.id, applied.index, machine.stateHash())
        },
        batchApplied: () => undefined,
        roleChanged: () => undefined,
        stopped: (stopped) => {
          throw new Violation('no simulated fault stops a node', { node: this.id, stopped })
        },
      })
      this.server = inProcessServer(witnessDeliveries(driver, gateway), (callback) => clock.defer(callback))
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
    if (this.witness !== null) this.replacedDisks.push(this.witness)
    this.witness = null
    this.replacements += 1
    this.started = false
    this.disk = this.newDisk()
    this.snapshots = new MemorySnapshots()
    this.options.invariants.replaced(this.id)
  }

  /** This node's logs as last witnessed, those of replaced disks too. */
  get logs(): readonly LogWitness[] {
    return this.witness === null ? this.replacedDisks : [...this.replacedDisks, this.witness]
  }

  private newDisk(): SimulatedDisk {
    const { scheduler, seed, disk } = this.options
    return new SimulatedDisk(scheduler, new Random(seed, 11, indexOf(this.options) + 100 * this.replacements), disk)
  }

  private parts(clock: SimulatedClock): NodeParts {
    const { id, voters, seed, network, limits, credit, appendEntriesMax, mount } = this.options
    const position = indexOf(this.options)
    return {
      identity: { clusterId: 'simulated', group: groupId(0), id, instance: `instance-${id}-${this.replacements}` },
      initialVoters: voters.map((voter) => ({ id: voter, address: addressOf(voter) })),
      machines: mount(),
      limits,
      credit,
      raft: appendEntriesMax === null ? {} : { appendEntriesMax },
      clock,
      codec: sessionCodec,
      snapshots: this.countedSnapshots(memorySnapshotStore(this.snapshots, (run) => this.later(clock, run))),
      check: (previous, next) => {
        checkState(next)
        checkTransition(previous, next)
      },
      seed: seed * 1000 + position * 100 + this.starts,
      openLog: this.openLog(clock),
      openTransport: (listener) => this.witnessed(network.transport(id, listener)),
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

  /** The product's log on the simulated disk, with a witness between it and the driver. */
  private openLog(clock: SimulatedClock): NodeParts['openLog'] {
    const { segmentBytes } = this.options
    const { started } = this
    const open = logOpener({
      disk: this.disk.open(),
      directory: 'log',
      group: groupId(0),
      started,
      clock,
      segmentBytes,
    })
    return (snapshot, listener, done) => {
      const witnessing: LogListener = {
        onPersisted: (write) => {
          if (this.clock !== clock) return
          this.witness?.persisted(write)
          listener.onPersisted(write)
        },
        onFault: (fault) => listener.onFault(fault),
      }
      open(snapshot, witnessing, (fault, opened) => {
        if (this.clock !== clock) return
        if (fault !== null || opened === null) return done(fault, null)
        this.started = true
        this.witnessLog(opened.store, opened.recovered, (witness) =>
          done(null, { store: witness, recovered: opened.recovered }),
        )
      })
    }
  }

  private witnessLog(store: LogStore, recovered: RecoveredLog, done: (witness: LogWitness) => void): void {
    const entries: WitnessedEntry[] = []
    const base = logIndex(recovered.firstIndex - 1)
    // What the log says of the entry before its first: a node's commit index may start there.
    if (base > 0) entries[base] = { term: recovered.baseTerm, chain: store.chainAt(base) }
    const finish = (): void => {
      const before = this.witness
      const witness = new LogWitness(store, { entries, hardState: recovered.hardState }, (index, entry) =>
        this.options.invariants.appended(this.id, index, entry),
      )
      this.options.invariants.reopened(this.id, { before, now: witness, firstIndex: recovered.firstIndex })
      this.witness = witness
      done(witness)
    }
    const readFrom = (first: number): void => {
      if (first > recovered.lastIndex) {
        finish()
        return
      }
      store.read({ first: logIndex(first), last: recovered.lastIndex, maxBytes: 1 << 20 }, (fault, read) => {
        if (fault !== null) throw new Violation('a recovered log can be read', { node: this.id, fault })
        let index = first
        forEachOffset(read.records, (offset) => {
          entries[index] = { term: recordTerm(read.records, offset), chain: recordChain(read.records, offset) }
          index += 1
        })
        readFrom(read.last + 1)
      })
    }
    readFrom(recovered.firstIndex)
  }

  /** Every message that leaves is held against what is on the disk. */
  private witnessed(transport: PeerTransport): PeerTransport {
    return {
      ...transport,
      send: (frame) => {
        const { body } = frame
        if (body.kind === 'raft' && this.witness !== null) {
          this.options.invariants.sent(this.id, frame.recipient, body.message, this.witness)
        }
        transport.send(frame)
      },
    }
  }
}

function addressOf(id: NodeId): string {
  return `${id}:1`
}

function indexOf(options: SimulatedNodeOptions): number {
  return options.voters.indexOf(options.id)
}
