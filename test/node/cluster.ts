import type { PeerBody, PeerFrame } from '../../src/node/ports/peer-transport.ts'
import { TestClock } from './test-clock.ts'
import { TestNetwork } from './test-network.ts'
import { TestNode, type TestNodeOptions } from './test-node.ts'

/** Three drivers (or as many as named) over one clock and one scripted network. */
export class Cluster {
  readonly clock = new TestClock()
  readonly network = new TestNetwork(this.clock)
  readonly nodes: readonly TestNode[]

  constructor(
    options: Partial<TestNodeOptions> = {},
    names: readonly string[] = ['n1', 'n2', 'n3'],
    own: (id: string) => Partial<TestNodeOptions> = () => ({}),
  ) {
    this.nodes = names.map(
      (id) => new TestNode({ ...options, ...own(id), id, voters: names, clock: this.clock, network: this.network }),
    )
  }

  /** Starts all of them and waits for a leader that may serve. */
  static started(options: Partial<TestNodeOptions> = {}, names?: readonly string[]): Cluster {
    const cluster = new Cluster(options, names)
    for (const node of cluster.nodes) node.start()
    cluster.elect()
    return cluster
  }

  node(id: string): TestNode {
    const found = this.nodes.find((node) => node.id === id)
    if (found === undefined) throw new Error(`there is no ${id}`)
    return found
  }

  get leader(): TestNode {
    const leaders = this.running.filter((node) => node.driver.leading)
    const newest = Math.max(...leaders.map((node) => node.driver.raftState.currentTerm))
    const found = leaders.find((node) => node.driver.raftState.currentTerm === newest)
    if (found === undefined) throw new Error('nobody leads')
    return found
  }

  get followers(): readonly TestNode[] {
    const { leader } = this
    return this.running.filter((node) => node !== leader)
  }

  get running(): readonly TestNode[] {
    return this.nodes.filter((node) => node.runs)
  }

  /** Lets time pass until somebody leads whom all but the `without` follow. */
  elect(without: readonly TestNode[] = []): TestNode {
    const others = this.running.filter((node) => !without.includes(node))
    for (let waited = 0; waited < 20_000; waited += 10) {
      const leader = others.find((node) => node.driver.leading)
      if (leader !== undefined && others.every((node) => node.driver.leader === leader.id)) return leader
      this.clock.advance(10)
    }
    throw new Error('nobody is elected within 20 s')
  }

  /** Lets time pass until the condition holds. */
  until(condition: () => boolean, what: string): void {
    for (let waited = 0; waited < 20_000; waited += 10) {
      if (condition()) return
      this.clock.advance(10)
    }
    throw new Error(`it does not happen within 20 s that ${what}`)
  }
}

type Raft = Extract<PeerBody, { kind: 'raft' }>

/** The Raft message of a frame, if it is one of this kind. */
export function raftOf<Kind extends Raft['message']['kind']>(
  frame: PeerFrame,
  kind: Kind,
): (Raft & { message: Extract<Raft['message'], { kind: Kind }> }) | null {
  const { body } = frame
  if (body.kind !== 'raft' || body.message.kind !== kind) return null
  return body as Raft & { message: Extract<Raft['message'], { kind: Kind }> }
}
