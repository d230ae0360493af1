import { join } from 'node:path'
import { nodeId } from '../../src/base/brand.ts'
import { freePorts } from '../../src/cli/cluster/free-ports.ts'
import { NodeProcess } from '../../src/cli/cluster/node-process.ts'
import { PeerGate } from './peer-gate.ts'

const HOST = '127.0.0.1'
const NODES = 3

/** What all three nodes run. */
export interface GatedClusterOptions {
  /** Holds one data directory per node. */
  readonly directory: string
  /** The module with the machines; absent: the product's own. */
  readonly machines?: string
  readonly environment?: { readonly [name: string]: string }
}

interface GatedNode {
  readonly gate: PeerGate
  readonly address: string
  process: NodeProcess | null
}

/**
 * Three real processes, each behind a gate towards the others: no other node reaches one that is cut off, while clients do,
 * and it may reach the others. Nodes are told by their place, 0 to 2.
 */
export class GatedCluster {
  /** Processes that ended though nobody had ended them, a sentence each. */
  readonly crashes: string[] = []
  private readonly nodes: readonly GatedNode[]
  private readonly options: GatedClusterOptions

  private constructor(nodes: readonly GatedNode[], options: GatedClusterOptions) {
    this.nodes = nodes
    this.options = options
  }

  /** Starts three nodes. */
  static async start(options: GatedClusterOptions): Promise<GatedCluster> {
    const ports = await freePorts(NODES, HOST)
    const gated = ports.map(async (port) => ({
      gate: await PeerGate.before(port),
      address: `${HOST}:${port}`,
      process: null,
    }))
    const cluster = new GatedCluster(await Promise.all(gated), options)
    try {
      await Promise.all(cluster.nodes.map((_, at) => cluster.startNode(at)))
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  /** `host:port` of every node, for clients. */
  get endpoints(): readonly string[] {
    return this.nodes.map(({ address }) => address)
  }

  /** `host:port` of every gate: the ways that the nodes take to each other, for clients that are to be cut off with them. */
  get gates(): readonly string[] {
    return this.nodes.map(({ gate }) => `${HOST}:${gate.port}`)
  }

  /** Place of the node of that id. */
  placeOf(id: string): number {
    return Number(id.slice(1)) - 1
  }

  /** Starts a node that is down, and waits until it listens. */
  async startNode(at: number): Promise<void> {
    const node = this.at(at)
    const id = nodeId(`n${at + 1}`)
    const members = this.nodes.map(({ gate }, place) => `n${place + 1}=${HOST}:${gate.port}`).join(',')
    const { directory, ...same } = this.options
    const started = NodeProcess.spawn({
      id,
      address: node.address,
      members,
      dataDirectory: join(directory, id),
      ...same,
    })
    node.process = started
    void started.exited.then(({ code, signal }) => {
      if (node.process === started) this.crashes.push(`${id} ended by itself: ${signal ?? code}`)
    })
    await started.ready()
  }

  /** `kill -9`; resolves when it is gone. */
  async kill(at: number): Promise<void> {
    const node = this.at(at)
    const { process: running } = node
    node.process = null
    await running?.kill()
  }

  /** SIGSTOP, until `resume`. */
  pause(at: number): void {
    this.signal(at, 'SIGSTOP')
  }

  resume(at: number): void {
    this.signal(at, 'SIGCONT')
  }

  /** The others do not reach it any more, until `heal`. */
  cut(at: number): Promise<void> {
    return this.at(at).gate.cut()
  }

  heal(at: number): Promise<void> {
    return this.at(at).gate.heal()
  }

  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((_, at) => this.kill(at)))
    await Promise.all(this.nodes.map(({ gate }) => gate.cut()))
  }

  private signal(at: number, signal: NodeJS.Signals): void {
    const pid = this.at(at).process?.pid
    if (pid !== undefined) process.kill(pid, signal)
  }

  private at(at: number): GatedNode {
    const node = this.nodes[at]
    if (node === undefined) throw new Error(`there is no node at place ${at}`)
    return node
  }
}
