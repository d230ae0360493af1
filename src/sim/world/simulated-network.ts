import type { NodeId } from '../../base/brand.ts'
import type { Random } from '../../base/random.ts'
import type { PeerFrame, PeerListener, PeerTransport } from '../../node/ports/peer-transport.ts'
import type { Scheduler } from './scheduler.ts'

/** How one run's links behave; probabilities in [0, 1], times in microseconds. */
export interface NetworkWeather {
  readonly loss: number
  readonly duplication: number
  readonly delayMin: number
  readonly delayMax: number
  /** Chance of a frame that is delivered much later, after newer ones. */
  readonly straggler: number
  readonly stragglerDelay: number
}

/** Directed links between processes and clients; every frame may be lost, doubled or late. */
export class SimulatedNetwork {
  readonly scheduler: Scheduler
  weather: NetworkWeather
  /** After how many microseconds a peer hears that a process is gone; null: by its silence alone. */
  tellsOfGone: () => number | null = () => null
  private readonly random: Random
  private readonly listeners = new Map<NodeId, PeerListener>()
  private readonly cut = new Set<string>()

  constructor(scheduler: Scheduler, random: Random, weather: NetworkWeather) {
    this.scheduler = scheduler
    this.random = random
    this.weather = weather
  }

  /** The transport of one process; frames to a process that is gone are lost. */
  transport(self: NodeId, listener: PeerListener): PeerTransport {
    this.listeners.set(self, listener)
    // In a turn of its own: the driver is made after its transport.
    this.scheduler.after(0, () => this.connect(self, listener))
    return {
      send: (frame) => this.send(self, frame),
      connected: (peer) => this.listeners.has(peer) && this.isOpen(self, peer),
      queuedBytes: () => 0,
      pull: (from, request, done) => {
        if (!this.isOpen(self, from)) return
        this.carry(self, from, () => {
          const answerer = this.listeners.get(from)
          answerer?.onPull(request, (answer) => {
            // A process that has gone meanwhile answers nobody, and nobody answers one that has.
            if (this.listeners.get(from) !== answerer || !this.isOpen(from, self)) return
            this.carry(from, self, () => {
              if (this.listeners.get(self) === listener) done(answer)
            })
          })
        })
      },
      hint: () => undefined,
      addPeer: () => undefined,
      removePeer: () => undefined,
      close: (done) => {
        this.listeners.delete(self)
        done()
      },
    }
  }

  /** The process is gone: its connections are reset, which each peer may hear. */
  detach(self: NodeId): void {
    this.listeners.delete(self)
    for (const peer of this.listeners.keys()) {
      const after = this.tellsOfGone()
      if (after !== null) this.scheduler.after(after, () => this.reset(peer, self))
    }
  }

  /** `self` sees its connection to `peer` reset, whatever became of that. */
  reset(self: NodeId, peer: NodeId): void {
    if (self !== peer) this.listeners.get(self)?.onUnreachable(peer)
  }

  /** Cuts or mends the link in one direction. */
  setLink(from: string, to: string, open: boolean): void {
    if (open && this.cut.delete(`${from}>${to}`)) this.connected(from, to)
    else if (!open) this.cut.add(`${from}>${to}`)
  }

  healAll(): void {
    const mended = [...this.cut].map((link) => link.split('>'))
    this.cut.clear()
    for (const [from = '', to = ''] of mended) this.connected(from, to)
  }

  /** A process has come: it dials the others and they dial it. */
  private connect(self: NodeId, listener: PeerListener): void {
    if (this.listeners.get(self) !== listener) return
    for (const peer of this.listeners.keys()) {
      if (peer === self) continue
      this.connected(self, peer)
      this.connected(peer, self)
    }
  }

  private connected(from: string, to: string): void {
    if (!this.isOpen(from, to)) return
    const ids = [...this.listeners.keys()]
    const [dialler, peer] = [from, to].map((id) => ids.find((known) => known === id))
    if (dialler !== undefined && peer !== undefined) this.listeners.get(dialler)?.onConnected(peer)
  }

  isOpen(from: string, to: string): boolean {
    return !this.cut.has(`${from}>${to}`)
  }

  /** Delivers a message between any two parties by the weather: zero, one or two times. */
  carry(from: string, to: string, deliver: () => void): void {
    const copies = this.random.chance(this.weather.loss) ? 0 : this.random.chance(this.weather.duplication) ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      let delay = this.random.between(this.weather.delayMin, this.weather.delayMax)
      if (this.random.chance(this.weather.straggler)) delay += this.random.below(this.weather.stragglerDelay)
      this.scheduler.after(delay, () => {
        if (this.isOpen(from, to)) deliver()
      })
    }
  }

  private send(self: NodeId, frame: PeerFrame): void {
    if (!this.isOpen(self, frame.recipient)) return
    // Said once for each connection, of which it is the first frame: what loses it is the end of the connection.
    if (frame.body.kind === 'build') {
      this.scheduler.after(this.weather.delayMin, () => this.listeners.get(frame.recipient)?.onFrame(frame))
      return
    }
    this.carry(self, frame.recipient, () => this.listeners.get(frame.recipient)?.onFrame(frame))
  }
}
