import type { MachineFailure } from '../../session/machine-report.ts'
import type { NodeObserver, ObservedGateway } from '../../sim/world/node-observer.ts'

/** Entries whose hashes are kept until every replica has applied them; one that is further behind is not compared. */
const HASHES_MAX = 10_000

/** What a machine of a test cluster threw, with the node that says so. */
export interface NodeFailure extends MachineFailure {
  readonly node: string
}

/**
 * Compares what the replicas of a test cluster make of the log, and hears of nodes that stop for good: either throws, which
 * ends the run.
 */
export class ClusterWatch {
  /** What machines threw, or did that counts as thrown, on any node. */
  readonly failures: NodeFailure[] = []
  /** Hash by index, and the node that came there first. */
  private readonly hashes = new Map<number, { readonly hash: string; readonly node: string }>()

  observerOf(node: string): NodeObserver {
    return {
      composed: ({ driver, gateway, machine }): ObservedGateway => {
        driver.listen({
          applied: ({ index }) => this.applied(node, index, machine.stateHash()),
          batchApplied: () => undefined,
          roleChanged: () => undefined,
          stopped: ({ code, message }) => {
            throw new Error(`node ${node} stopped: ${code}: ${message}`)
          },
          noted: (event) => {
            if (event.kind === 'halted') throw new Error(`node ${node} halted: ${event.code}: ${event.message}`)
          },
          reported: (told) => {
            if (told.kind === 'failure') this.failures.push({ ...told, node })
          },
        })
        return gateway
      },
      logOpened: (store, _recovered, done) => done(store),
      persisted: () => undefined,
      sending: () => undefined,
      diskReplaced: () => undefined,
    }
  }

  private applied(node: string, index: number, hash: string): void {
    const first = this.hashes.get(index)
    if (first === undefined) {
      this.hashes.set(index, { hash, node })
      this.hashes.delete(index - HASHES_MAX)
    } else if (first.hash !== hash) {
      throw new Error(
        `the replicas ${first.node} and ${node} differ after entry ${index}: a machine is not deterministic, ` +
          'it keeps something outside its tables or depends on its process; checkMachine finds the shortest way there',
      )
    }
  }
}
