import { composeNode, type NodeParts } from '../../src/assembly/compose-node.ts'
import { logOpener } from '../../src/assembly/log-opener.ts'
import { groupId, type NodeId, nodeId } from '../../src/base/brand.ts'
import type { Limits } from '../../src/codec/entry/payload.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Driver } from '../../src/node/driver.ts'
import type { NodeListener } from '../../src/node/api.ts'
import type { AwaitedState } from '../../src/node/options.ts'
import type { DiskRoom } from '../../src/node/ports/disk-room.ts'
import type { LogStore } from '../../src/node/ports/log-store.ts'
import type { Build } from '../../src/node/ports/peer-transport.ts'
import type { SnapshotMeta, SnapshotStore } from '../../src/node/ports/snapshot-store.ts'
import type { StorageFault } from '../../src/node/ports/storage-fault.ts'
import type { LeaseTerms, RaftConfig } from '../../src/raft/types.ts'
import { ApplyHalt } from '../../src/session/run/halt.ts'
import type { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import type { Applied } from '../../src/session/state-machine.ts'
import type { UserStateMachine } from '../../src/session/user-machine.ts'
import type { Disk } from '../../src/storage/disk/disk.ts'
import { MemoryDisk } from '../../src/storage/disk/memory-disk.ts'
import { MemorySnapshots, memorySnapshotStore } from '../../src/storage/snapshot/memory-snapshot-store.ts'
import { counter } from '../session/bare-machine.ts'
import { checkTransition, type RaftState } from '../../src/raft/index.ts'
import { openAppliedTrail } from '../../src/storage/trail/applied-trail-file.ts'
import type { ProcessClock, TestClock } from './test-clock.ts'
import { TestNetwork } from './test-network.ts'

export interface TestNodeOptions {
  readonly id?: string
  readonly voters?: readonly string[]
  readonly clock: TestClock
  readonly network?: TestNetwork
  readonly clusterId?: string
  readonly group?: number
  readonly instance?: string
  readonly user?: () => UserStateMachine
  /** Fingerprint of the handlers of the machine `test` in its version 1. */
  readonly code?: () => string
  readonly limits?: Partial<Limits>
  readonly raft?: Partial<RaftConfig>
  /** Asked at each start. */
  readonly leases?: () => LeaseTerms | null
  readonly messageBytesMax?: number
  readonly wallOffsetMs?: number
  /** Disk operations complete before they return; by default at the end of the turn. */
  readonly synchronous?: boolean
  readonly segmentBytes?: number
  readonly firstSegmentBytes?: number
  readonly cacheBytes?: number
  /** Whether its disk has room. */
  readonly room?: DiskRoom
  /** What it says of its mode; asked at each start. */
  readonly development?: () => boolean
}

/** These tests submit entries themselves: no client's bytes are parsed. */
const unparsed = (): never => {
  throw new Error('nobody connects to the gateway')
}
const NO_CLIENTS = { parse: unparsed, parseQuery: unparsed }

/** One node over its restarts: disk and snapshots stay, each process is a new driver on them. */
export class TestNode {
  readonly id: NodeId
  readonly options: TestNodeOptions
  readonly network: TestNetwork
  snapshots = new MemorySnapshots()
  /** Sees every state of the core. */
  stepped: (state: RaftState) => void = () => undefined
  /** Changes what the driver is given, for faults. */
  wrapLog: (log: LogStore) => LogStore = (log) => log
  wrapDisk: (disk: Disk) => Disk = (disk) => disk
  wrapSnapshots: (store: SnapshotStore) => SnapshotStore = (store) => store
  /** Its state was set aside: what each start is told of it. */
  awaited: AwaitedState | null = null
  /** This process's machine must not apply this entry, nor any after it. */
  haltsAt: number | null = null
  /** False: it runs what is to be skipped. */
  skips = true
  stopped: { code: string; message: string }[] = []
  applied: Applied[] = []
  /** What the machine reported and this node told. */
  reports: Parameters<NonNullable<NodeListener['reported']>>[0][] = []
  openFault: StorageFault | null = null
  instance: string
  reportFault: (fault: StorageFault) => void = () => undefined
  private disk: MemoryDisk
  private held: (() => void)[] | null = null
  private heldSnapshots: (() => void)[] | null = null
  private process: ProcessClock | null = null
  private running: Driver | null = null
  private starts = 0

  constructor(options: TestNodeOptions) {
    this.options = options
    this.id = nodeId(options.id ?? 'n1')
    this.instance = options.instance ?? `instance-${this.id}`
    this.network = options.network ?? new TestNetwork(options.clock)
    this.disk = this.newDisk()
  }

  get driver(): Driver {
    if (this.running === null) throw new Error(`${this.id} does not run`)
    return this.running
  }

  get runs(): boolean {
    return this.running !== null
  }

  get machine(): SessionStateMachine {
    return this.driver.machine as SessionStateMachine
  }

  /** Opens and starts; the first events wait for the clock. */
  start(): this {
    this.open()
    this.options.clock.settle()
    return this
  }

  open(): void {
    this.starts += 1
    const process = this.options.clock.process(this.options.wallOffsetMs)
    this.process = process
    this.openFault = null
    const machine = composeNode(this.parts(process), (fault, composed) => {
      if (this.process !== process) return
      this.openFault = fault
      if (composed === null) return
      const { driver } = composed
      this.running = driver
      driver.listen({
        applied: (applied) => void this.applied.push(applied),
        batchApplied: () => undefined,
        roleChanged: () => undefined,
        stopped: (stopped) => void this.stopped.push(stopped),
        reported: (report) => void this.reports.push(report),
      })
      driver.start()
    })
    const begin = machine.begin.bind(machine)
    machine.begin = (entry, recordBytes, skipped) => {
      const known = this.skips ? skipped : []
      if (this.haltsAt === null || entry.index < this.haltsAt) return begin(entry, recordBytes, known)
      throw new ApplyHalt('MACHINE_MISSING', entry.index, 'this build has no machine stock')
    }
  }

  /** The process is killed; `powerLoss`: what was not synced is gone. */
  crash(powerLoss = true): void {
    if (this.process !== null) this.process.alive = false
    this.process = null
    this.running = null
    this.held = null
    this.heldSnapshots = null
    this.network.detach(this.id)
    if (powerLoss) this.disk.crash()
    this.snapshots.crash()
  }

  restart(powerLoss = true): this {
    this.crash(powerLoss)
    return this.start()
  }

  /** Bytes of the files on its disk that lie below the log's directory. */
  get logBytes(): number {
    const paths = this.disk.paths().filter((path) => path.endsWith('.wal'))
    return paths.reduce((bytes, path) => bytes + (this.disk.bytesOf(path)?.length ?? 0), 0)
  }

  /** Another disk comes in: nothing is left but the name. */
  replaceDisk(): void {
    this.crash()
    this.disk = this.newDisk()
    this.snapshots = new MemorySnapshots()
    this.instance += '-replaced'
  }

  /** What was noted of what its machines made of the log is lost. */
  replaceTrail(): void {
    this.disk.remove('log/applied', () => undefined)
    this.options.clock.settle()
    this.crash(false)
  }

  /** As `holdfast recover refetch-state` does, or a start that finds the snapshot damaged: it awaits another. */
  setStateAside(agreed: boolean): SnapshotMeta {
    const { meta } = this.snapshots
    if (meta === null) throw new Error('there is no snapshot')
    this.replaceTrail()
    this.snapshots = new MemorySnapshots()
    const arrived = (): void => {
      this.awaited = null
    }
    this.awaited = { meta, agreed, arrived }
    return meta
  }

  /** The log is lost, the snapshots stay: as after a repair that threw the log away. */
  replaceLog(): void {
    this.crash()
    this.disk = this.newDisk()
  }

  /** Disk operations from now on wait for `releaseDisk`. */
  holdDisk(): void {
    this.held = []
  }

  releaseDisk(): void {
    const held = this.held ?? []
    this.held = null
    for (const run of held) run()
    this.options.clock.settle()
  }

  holdSnapshots(): void {
    this.heldSnapshots = []
  }

  /** The next snapshot operation that waits completes; false when there is none. */
  releaseSnapshot(): boolean {
    const next = this.heldSnapshots?.shift()
    next?.()
    this.options.clock.settle()
    return next !== undefined
  }

  releaseSnapshots(): void {
    let more = true
    while (more) more = this.releaseSnapshot()
    this.heldSnapshots = null
  }

  close(): boolean {
    let closed = false
    this.driver.close(() => {
      closed = true
    })
    this.options.clock.settle()
    return closed
  }

  private newDisk(): MemoryDisk {
    if (this.options.synchronous === true) return new MemoryDisk()
    return new MemoryDisk((run) => this.later(run))
  }

  private later(run: () => void): void {
    const { process } = this
    if (process === null) return
    const alive = (): void => {
      if (this.process === process) run()
    }
    if (this.held !== null) this.held.push(alive)
    else process.defer(alive)
  }

  private laterSnapshot(run: () => void): void {
    const { process } = this
    if (process === null) return
    if (this.heldSnapshots !== null) this.heldSnapshots.push(run)
    else if (this.options.synchronous === true) run()
    else process.defer(run)
  }

  private machines(): Build['machines'] {
    return [{ name: 'test', versions: [{ version: 1, schema: 's', code: this.options.code?.() ?? 'c' }] }]
  }

  private parts(process: ProcessClock): NodeParts {
    const { options } = this
    const userMachine = (options.user ?? counter)()
    const machines = userMachine.machines ?? this.machines()
    const group = groupId(options.group ?? 0)
    const disk = this.wrapDisk(this.disk)
    const open = logOpener({
      disk,
      directory: 'log',
      group,
      clock: process,
      segmentBytes: options.segmentBytes ?? 256 * 1024,
      firstSegmentBytes: options.firstSegmentBytes ?? 32 * 1024,
      cacheBytes: options.cacheBytes ?? 1 << 20,
    })
    return {
      identity: { clusterId: options.clusterId ?? 'c1', group, id: this.id, instance: this.instance },
      initialVoters: (options.voters ?? [this.id]).map((id) => ({ id: nodeId(id), address: `${id}:1` })),
      machines: { ...NO_CLIENTS, userMachine },
      raft: options.raft,
      limits: options.limits,
      leases: options.leases?.(),
      clock: process,
      check: (before, after) => {
        checkTransition(before, after)
        this.stepped(after)
      },
      codec: sessionCodec,
      snapshots: this.wrapSnapshots(memorySnapshotStore(this.snapshots, (run) => this.laterSnapshot(run))),
      ...(options.messageBytesMax === undefined ? {} : { messageBytesMax: options.messageBytesMax }),
      room: options.room,
      awaited: this.awaited,
      seed: this.starts * 1000 + Number(this.id.replace(/\D/g, '')),
      openLog: (snapshot, listener, done) => {
        this.reportFault = (fault) => listener.onFault(fault)
        open(snapshot, listener, (fault, opened) => {
          if (this.process !== process) return
          done(fault, opened === null ? null : { store: this.wrapLog(opened.store), recovered: opened.recovered })
        })
      },
      build: { machines, runtime: 'v20.0.0', holdfast: '0.1.0', development: this.options.development?.() ?? false },
      openTrail: openAppliedTrail({ disk, directory: 'log', machines }),
      openTransport: (listener) => this.network.transport(this.id, listener),
    }
  }
}
