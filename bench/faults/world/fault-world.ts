import { freePorts } from '../../../src/cli/cluster/free-ports.ts'
import { PeerGate } from '../../gated/peer-gate.ts'
import { DiskImage } from './disk-image.ts'
import { NodeNetwork } from './node-network.ts'
import { type NodePlace, NodeSeat, type Spawn } from './node-seat.ts'
import type { Resources } from './resources.ts'
import type { MissingTools } from './tools.ts'

const HOST = '127.0.0.1'
const PORT = 4600

/** What there is of a world. */
interface Parts {
  readonly network: NodeNetwork | null
  readonly gates: readonly PeerGate[]
  readonly disks: readonly DiskImage[]
  readonly seats: readonly NodeSeat[]
}

/**
 * The nodes of one cluster and what lies between and below them. As root each node has a network and a disk of its own; else
 * all share the loopback, where nodes reach each other through gates, and the file system.
 */
export class FaultWorld {
  /** Null: all are on the loopback. */
  readonly network: NodeNetwork | null
  /** Per node; none: all share the file system of the checkout. */
  readonly disks: readonly DiskImage[]
  readonly seats: readonly NodeSeat[]
  private readonly gates: readonly PeerGate[]

  private constructor({ network, gates, disks, seats }: Parts) {
    this.network = network
    this.gates = gates
    this.disks = disks
    this.seats = seats
  }

  /** Starts so many nodes. `spawn` is given `id=host:port,…` of all as they reach each other. */
  static async start(
    nodes: number,
    options: { readonly resources: Resources; readonly missing: MissingTools; spawn(members: string): Spawn },
  ): Promise<FaultWorld> {
    const { resources, missing } = options
    const ids = Array.from({ length: nodes }, (_, at) => `n${at + 1}`)
    const separate = !missing.has('namespaces') && !missing.has('iptables')
    const network = separate ? await NodeNetwork.start(nodes, resources) : null
    const ports = network === null ? await freePorts(nodes, HOST) : []
    const gates = await Promise.all(ports.map((port) => PeerGate.before(port)))
    const disks: DiskImage[] = []
    if (!missing.has('xfs')) for (const id of ids) disks.push(await DiskImage.make(id, resources))
    const places = ids.map((id, at): NodePlace => {
      const endpoint = network === null ? `${HOST}:${ports[at]}` : `${network.addressOf(at)}:${PORT}`
      const dataDirectory = `${disks[at]?.mountPoint ?? `${resources.directory}/${id}`}/data`
      return { id, endpoint, dataDirectory, through: network?.throughNode(at) ?? [] }
    })
    const reached = places.map(({ id, endpoint }, at) => {
      const gate = gates[at]
      return `${id}=${gate === undefined ? endpoint : `${HOST}:${gate.port}`}`
    })
    const spawn = options.spawn(reached.join(','))
    const seats = places.map((place) => new NodeSeat(place, spawn, resources))
    const world = new FaultWorld({ network, gates, disks, seats })
    await Promise.all(seats.map((seat) => seat.start()))
    return world
  }

  get endpoints(): readonly string[] {
    return this.seats.map(({ place }) => place.endpoint)
  }

  /** Program and arguments before those of clients, of either half. */
  get throughClients(): readonly (readonly string[])[] {
    return this.network?.throughClients ?? [[], []]
  }

  get crashes(): readonly string[] {
    return this.seats.flatMap(({ crashes }) => crashes)
  }

  seat(at: number): NodeSeat {
    const seat = this.seats[at]
    if (seat === undefined) throw new Error(`there is no node at place ${at}`)
    return seat
  }

  disk(at: number): DiskImage {
    const disk = this.disks[at]
    if (disk === undefined) throw new Error(`the node at place ${at} has no disk of its own`)
    return disk
  }

  /** Those that are not at `at`. */
  others(at: number): number[] {
    return this.seats.map((_, other) => other).filter((other) => other !== at)
  }

  /** No other node reaches it, while it may reach them; until `heal`. */
  async deafen(at: number): Promise<void> {
    if (this.network === null) await this.gates[at]?.cut()
    else for (const other of this.others(at)) await this.network.block(other, at)
  }

  /** Undoes what faults of the network did, and lets those go on that were stopped. */
  async heal(): Promise<void> {
    await this.network?.heal(this.seats.length)
    await Promise.all(this.gates.map((gate) => gate.heal()))
    for (const seat of this.seats) seat.signal('SIGCONT')
  }

  /** Starts whoever is down. */
  async revive(): Promise<void> {
    await Promise.all(this.seats.map((seat) => seat.start()))
  }

  /** Kills all nodes. The rest goes with the resources of the run. */
  async stop(): Promise<void> {
    await Promise.all(this.seats.map((seat) => seat.kill()))
    await Promise.all(this.gates.map((gate) => gate.cut()))
  }
}
