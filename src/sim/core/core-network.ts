import type { Random } from '../../base/random.ts'
import type { NetworkWeather } from '../world/simulated-network.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { CorePacket } from './core-packet.ts'

/**
 * Directed links between nodes, which are named by their numbers: each message may be lost, doubled, late, or overtaken by
 * those behind it.
 */
export class CoreNetwork {
  weather: NetworkWeather
  private readonly scheduler: Scheduler
  private readonly random: Random
  private readonly size: number
  private readonly cut: Uint8Array
  private readonly deliver: (to: number, packet: CorePacket) => void

  constructor(parts: {
    scheduler: Scheduler
    random: Random
    weather: NetworkWeather
    size: number
    deliver: (to: number, packet: CorePacket) => void
  }) {
    this.scheduler = parts.scheduler
    this.random = parts.random
    this.weather = parts.weather
    this.size = parts.size
    this.deliver = parts.deliver
    this.cut = new Uint8Array(parts.size * parts.size)
  }

  send(from: number, to: number, packet: CorePacket): void {
    const { weather, random } = this
    if (!this.isOpen(from, to)) return
    if (weather.loss > 0 && random.chance(weather.loss)) return
    this.carry(from, to, packet)
    if (weather.duplication > 0 && random.chance(weather.duplication)) this.carry(from, to, packet)
  }

  isOpen(from: number, to: number): boolean {
    return this.cut[from * this.size + to] === 0
  }

  /** Cuts or mends the link in one direction; what is under way on a link that is cut is lost. */
  setLink(from: number, to: number, open: boolean): void {
    this.cut[from * this.size + to] = open ? 0 : 1
  }

  healAll(): void {
    this.cut.fill(0)
  }

  private carry(from: number, to: number, packet: CorePacket): void {
    const { weather, random } = this
    let delay = random.between(weather.delayMin, weather.delayMax)
    if (weather.straggler > 0 && random.chance(weather.straggler)) delay += random.below(weather.stragglerDelay)
    this.scheduler.after(delay, () => {
      if (this.isOpen(from, to)) this.deliver(to, packet)
    })
  }
}
