import { nodeId, type NodeId } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import type { NodeObserver } from './node-observer.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedChannels } from './simulated-channels.ts'
import type { DiskWeather } from './simulated-disk.ts'
import { SimulatedNetwork, type NetworkWeather } from './simulated-network.ts'
import { SimulatedNode, type SimulatedNodeOptions } from './simulated-node.ts'

/** What one node has of its own. */
export interface NodeNature {
  readonly disk: DiskWeather
  readonly clock: SimulatedNodeOptions['clock']
}

/** What all nodes of a cluster have in common. */
type SharedOptions = Pick<
  SimulatedNodeOptions,
  | 'seed'
  | 'limits'
  | 'credit'
  | 'appendEntriesMax'
  | 'segmentBytes'
  | 'leases'
  | 'check'
  | 'trace'
  | 'development'
  | 'mount'
>

export interface SimulatedClusterOptions extends SharedOptions {
  /** One node each, named n1, n2, … */
  readonly nodes: readonly NodeNature[]
  readonly network: NetworkWeather
  /** A generator for what the network does, and one for what the clients' streams do. */
  generator(purpose: 'network' | 'channels'): Random
  observe(id: NodeId): NodeObserver
}

/** A whole cluster in one thread, before its first event: time, network, nodes and what clients reach them by. */
export class SimulatedCluster {
  readonly scheduler = new Scheduler()
  readonly network: SimulatedNetwork
  readonly nodes: readonly SimulatedNode[]
  readonly channels: SimulatedChannels

  constructor(options: SimulatedClusterOptions) {
    const { nodes, network, generator, observe, ...shared } = options
    const { scheduler } = this
    this.network = new SimulatedNetwork(scheduler, generator('network'), network)
    const voters = nodes.map((_, position) => nodeId(`n${position + 1}`))
    this.nodes = nodes.map(({ disk, clock }, position) => {
      const id = nodeId(`n${position + 1}`)
      return new SimulatedNode({
        ...shared,
        id,
        voters,
        scheduler,
        network: this.network,
        observer: observe(id),
        disk,
        clock,
      })
    })
    this.channels = new SimulatedChannels(this.network, generator('channels'), this.nodes)
  }

  /** The node that leads and has applied an entry of its term; null while there is none. */
  get leader(): SimulatedNode | null {
    return this.nodes.find((node) => node.driver?.leading === true) ?? null
  }
}
