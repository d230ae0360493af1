import { logIndex, type NodeId, type WriteNumber } from '../base/brand.ts'
import { forEachOffset } from '../codec/entry/batch.ts'
import { recordChain, recordTerm } from '../codec/entry/record.ts'
import type { SessionGateway } from '../gateway/session-gateway.ts'
import type { Driver } from '../node/driver.ts'
import type { LogStore, RecoveredLog } from '../node/ports/log-store.ts'
import type { PeerFrame } from '../node/ports/peer-transport.ts'
import type { SessionStateMachine } from '../session/session-state-machine.ts'
import { witnessDeliveries } from './checkers/delivery-witness.ts'
import type { Invariants } from './checkers/invariants.ts'
import type { LimboWatch } from './checkers/limbo-watch.ts'
import { Violation } from './checkers/violation.ts'
import { LogWitness, type WitnessedEntry } from './log-witness.ts'
import type { NodeObserver, ObservedGateway } from './world/node-observer.ts'

/** Entries from one look at all of a machine's state to the next: looking after each would cost the simulator 7 %. */
const STATE_CHECK_INTERVAL = 16

/** Tells the checkers what one node does: what it writes, sends, applies and delivers. */
export class NodeWitness implements NodeObserver {
  /** Its log as last witnessed, a crashed process's too; null before the first open, and of a replaced disk. */
  log: LogWitness | null = null
  /** Whether a fault that was made is why this node has stopped. */
  explains: (id: NodeId, fault: { readonly code: string }) => boolean = () => false
  private readonly id: NodeId
  private readonly invariants: Invariants
  private readonly limbo: LimboWatch
  /** What was on the disks that were replaced: durable there when it was counted. */
  private readonly replacedDisks: LogWitness[] = []
  /** Its disk has rotted since the last open. */
  private damaged = false

  constructor(id: NodeId, invariants: Invariants, limbo: LimboWatch) {
    this.id = id
    this.invariants = invariants
    this.limbo = limbo
  }

  /** This node's logs as last witnessed, those of replaced disks too. */
  get logs(): readonly LogWitness[] {
    return this.log === null ? this.replacedDisks : [...this.replacedDisks, this.log]
  }

  composed(node: { driver: Driver; gateway: SessionGateway; machine: SessionStateMachine }): ObservedGateway {
    const { driver, gateway, machine } = node
    machine.checkInvariants()
    driver.listen({
      applied: (applied) => {
        if (applied.index % STATE_CHECK_INTERVAL === 0) machine.checkInvariants()
        this.invariants.applied(this.id, applied.index, machine.stateHash())
        if (this.log !== null) this.limbo.applied(this.id, applied.index, { machine, log: this.log })
      },
      batchApplied: () => undefined,
      roleChanged: () => undefined,
      stopped: (stopped) => {
        if (this.explains(this.id, stopped)) return
        throw new Violation('only a failed sync, or a full disk, stops a node', { node: this.id, stopped })
      },
      noted: (event) => {
        const halted = event.kind === 'halted' && event.code !== 'REMOVED'
        const wrong = halted || event.kind === 'stateDiffers'
        if (wrong) throw new Violation('replicas that agree are not told apart', { node: this.id, event })
      },
    })
    return witnessDeliveries(driver, gateway)
  }

  persisted(write: WriteNumber): void {
    this.log?.persisted(write)
  }

  /** Every message that leaves is held against what is on the disk. */
  sending({ recipient, body }: PeerFrame): void {
    if (body.kind === 'raft' && this.log !== null) this.invariants.sent(this.id, recipient, body.message, this.log)
  }

  /** It was durable when it was counted; what it promised still binds this node. */
  diskDamaged(): void {
    if (this.log !== null) this.replacedDisks.push(this.log)
    this.log = null
    this.damaged = true
  }

  diskReplaced(): void {
    if (this.log !== null) this.replacedDisks.push(this.log)
    this.log = null
    this.invariants.replaced(this.id)
  }

  logOpened(store: LogStore, recovered: RecoveredLog, done: (store: LogStore) => void): void {
    const entries: WitnessedEntry[] = []
    const base = logIndex(recovered.firstIndex - 1)
    // What the log says of the entry before its first: a node's commit index may start there.
    const baseChain = store.chainAt(base)
    if (base > 0 && baseChain !== null) entries[base] = { term: recovered.baseTerm, chain: baseChain }
    const finish = (): void => {
      const before = this.log
      const now = new LogWitness(store, { entries, hardState: recovered.hardState }, (index, entry) =>
        this.invariants.appended(this.id, index, entry),
      )
      now.covered = base
      const { damaged } = this
      const { firstIndex, obligation } = recovered
      this.damaged = false
      this.invariants.reopened(this.id, { before, now, firstIndex, damaged, census: obligation?.kind === 'census' })
      this.log = now
      done(now)
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
}
