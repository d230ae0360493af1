import type { NodeId } from '../../base/brand.ts'
import type { Value } from '../../codec/value/value.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { LimboRows } from '../../session/state-machine.ts'
import type { LogWitness } from '../log-witness.ts'
import { Violation } from './violation.ts'

/** What a process has made of the entries that were in limbo when it began to lead. */
interface Prediction {
  readonly machine: SessionStateMachine
  readonly limbo: LimboRows
  /** Of the last of them: it stands for all before it. */
  readonly chain: number | undefined
  /** The rows of its machines then. */
  readonly rows: ReadonlyMap<string, Value>
}

/**
 * Holds what a new leader says that entries in limbo may write against what they do write, once they are applied there:
 * whatever a query was told of other rows has not changed (lease-reads.md, step 4).
 */
export class LimboWatch {
  /** Entries that were applied after their rows had been told. */
  compared = 0
  private readonly predictions = new Map<NodeId, Prediction>()

  /** A read was tried there. */
  predicted(
    node: NodeId,
    machine: SessionStateMachine,
    at: { readonly limbo: LimboRows; readonly log: LogWitness },
  ): void {
    const known = this.predictions.get(node)
    if (known?.machine === machine && known.limbo === at.limbo) return
    const chain = at.log.entries[at.limbo.last]?.chain
    this.predictions.set(node, { machine, limbo: at.limbo, chain, rows: new Map(machine.userRows()) })
  }

  applied(node: NodeId, index: number, at: { readonly machine: SessionStateMachine; readonly log: LogWitness }): void {
    const prediction = this.predictions.get(node)
    if (prediction === undefined) return
    const { machine, limbo, chain, rows } = prediction
    const same = machine === at.machine && index <= limbo.last && at.log.entries[limbo.last]?.chain === chain
    if (!same || index === limbo.last) this.predictions.delete(node)
    if (!same) return
    this.compared += 1
    const now = new Map(machine.userRows())
    for (const key of new Set([...rows.keys(), ...now.keys()])) {
      // A value is never changed: another one is another object.
      if (rows.get(key) === now.get(key) || limbo.has(key)) continue
      throw new Violation('entries in limbo write no other rows than was told', { node, index, key, limbo: [...limbo] })
    }
  }
}
