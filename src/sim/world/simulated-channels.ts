import type { Random } from '../../base/random.ts'
import type { SlowConnection } from '../../gateway/in-process-server.ts'
import type { Channel, ChannelListener, Dial } from '../../client/connection/ports.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import type { SimulatedNode } from './simulated-node.ts'

/** What the two ends of a connection share. */
interface Connection {
  readonly client: string
  readonly node: SimulatedNode
  /** Process of the node that accepted it; another one knows nothing of it. */
  readonly process: number
  readonly listener: ChannelListener
  server: SlowConnection | null
  /** Earliest arrival of the next frame in each direction: a stream keeps its order. */
  upAt: number
  downAt: number
  /** Until then its client reads nothing. */
  stalledUntil: number
  /** Something was lost on it: where streams break as a whole, nothing is carried any more. */
  broken: boolean
  open: boolean
}

/** What is unsent to a client that does not read: more than whatever is held back for it. */
const STALLED_BYTES = 2 ** 30

/**
 * Connections of clients to nodes: streams that keep their order and break as a whole. A cut link, a crashed process or
 * bad luck ends them; either side learns of that late: by what it sends, or by the stream's keep-alive.
 */
export class SimulatedChannels {
  /**
   * As of TCP, nothing that follows a lost frame arrives. Else, until the ends learn of it, frames behind it do: more than any
   * stream does, and what numbers its frames stands it. What rests on a stream being whole, as subscriptions do, asks for it.
   */
  breakWhole = false
  // As client/connection/grpc.ts sets it for HTTP/2: a ping every 10 s, given up after 5 s.
  private static readonly KEEP_ALIVE_MICROS = 15_000_000

  private readonly network: SimulatedNetwork
  private readonly random: Random
  private readonly nodes: ReadonlyMap<string, SimulatedNode>
  private readonly connections = new Set<Connection>()

  constructor(network: SimulatedNetwork, random: Random, nodes: readonly SimulatedNode[]) {
    this.network = network
    this.random = random
    this.nodes = new Map(nodes.map((node) => [node.address, node]))
  }

  dial(client: string): Dial {
    return (endpoint, listener) => this.connect(client, endpoint, listener)
  }

  /**
   * Connections to processes that are gone are reset, as a network without faults does it: else a client that only listens
   * would learn of it by the keep-alive, and the end of a run wait for that.
   */
  reset(): void {
    for (const connection of this.connections) if (this.isCut(connection)) this.break(connection)
  }

  /** Names of the clients that are connected, one for each connection. */
  get clients(): readonly string[] {
    return [...this.connections].map(({ client }) => client)
  }

  /** A client reads nothing for so long, µs: what its nodes have written waits, and what they write meanwhile. */
  stall(client: string, micros: number): void {
    const { scheduler } = this.network
    const until = scheduler.now + micros
    for (const connection of this.connections) {
      if (connection.client !== client || connection.stalledUntil >= until) continue
      connection.stalledUntil = until
      connection.downAt = Math.max(connection.downAt, until)
      scheduler.after(micros, () => {
        const lives = connection.node.process === connection.process && connection.node.running
        if (connection.open && lives && connection.stalledUntil === until) connection.server?.drained()
      })
    }
  }

  private connect(client: string, endpoint: string, listener: ChannelListener): Channel {
    const node = this.nodes.get(endpoint)
    if (node === undefined) {
      listener.onClosed('UNAVAILABLE', `no node at ${endpoint}`)
      return { sendFrame: () => undefined, close: () => undefined }
    }
    const { now } = this.network.scheduler
    const connection: Connection = {
      client,
      node,
      process: node.process,
      listener,
      server: null,
      upAt: now,
      downAt: now,
      stalledUntil: now,
      broken: false,
      open: true,
    }
    this.connections.add(connection)
    this.up(connection, () => {
      connection.server =
        node.server?.accept({
          onFrame: (frame) => this.down(connection, () => listener.onFrame(frame)),
          onEnded: (code, message) => this.down(connection, () => this.end(connection, code, message)),
          unsentBytes: () => (connection.stalledUntil > this.network.scheduler.now ? STALLED_BYTES : 0),
        }) ?? null
      if (connection.server === null) this.break(connection)
    })
    this.keepAlive(connection)
    return {
      sendFrame: (frame) => this.up(connection, () => connection.server?.receiveFrame(frame)),
      close: () => {
        if (!connection.open) return
        this.up(connection, () => connection.server?.disconnected())
        connection.open = false
        this.connections.delete(connection)
      },
    }
  }

  private keepAlive(connection: Connection): void {
    this.network.scheduler.after(SimulatedChannels.KEEP_ALIVE_MICROS, () => {
      if (!connection.open) return
      if (this.isCut(connection)) this.break(connection)
      else this.keepAlive(connection)
    })
  }

  private isCut(connection: Connection): boolean {
    const { client, node } = connection
    const gone = node.process !== connection.process || !node.running
    return gone || !this.network.isOpen(client, node.id) || !this.network.isOpen(node.id, client)
  }

  private up(connection: Connection, deliver: () => void): void {
    if (!connection.open) return
    connection.upAt = Math.max(connection.upAt, this.arrival())
    this.travel(connection, { from: connection.client, to: connection.node.id, at: connection.upAt }, deliver)
  }

  private down(connection: Connection, deliver: () => void): void {
    if (!connection.open) return
    connection.downAt = Math.max(connection.downAt, this.arrival())
    this.travel(connection, { from: connection.node.id, to: connection.client, at: connection.downAt }, () => {
      if (connection.open) deliver()
    })
  }

  private travel(connection: Connection, way: { from: string; to: string; at: number }, deliver: () => void): void {
    const { scheduler, weather } = this.network
    const lost = this.random.chance(weather.loss / 4)
    scheduler.after(way.at - scheduler.now, () => {
      const gone = connection.node.process !== connection.process || !connection.node.running
      if (this.breakWhole && connection.broken) return
      if (lost || gone || !this.network.isOpen(way.from, way.to)) this.break(connection)
      else deliver()
    })
  }

  private arrival(): number {
    const { scheduler, weather } = this.network
    return scheduler.now + this.random.between(weather.delayMin, weather.delayMax)
  }

  /** The stream is gone: the client learns of it soon, the server as well if it is still the same process. */
  private break(connection: Connection): void {
    const { scheduler } = this.network
    connection.broken = true
    scheduler.after(this.random.below(300_000), () => this.end(connection, 'UNAVAILABLE', 'the connection was lost'))
    scheduler.after(this.random.below(3_000_000), () => {
      if (connection.node.process === connection.process && connection.node.running) connection.server?.disconnected()
    })
  }

  private end(connection: Connection, code: string, message: string): void {
    if (!connection.open) return
    connection.open = false
    this.connections.delete(connection)
    connection.listener.onClosed(code, message)
  }
}
