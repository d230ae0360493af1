import type { ProposalSink } from '../../src/node/api.ts'
import type { Reply } from '../../src/session/state-machine.ts'

/** A sink that remembers what it was told, and says at once when it is told twice. */
export class Told implements ProposalSink {
  told: string | null = null
  reply: Reply | null = null
  index = 0
  private readonly inside: (told: Told) => void

  /** `inside` runs within the callback: what a caller does there. */
  constructor(inside: (told: Told) => void = () => undefined) {
    this.inside = inside
  }

  settled(reply: Reply, index: number): void {
    this.reply = reply
    this.index = index
    this.hear('settled')
  }

  refused(code: string): void {
    this.hear(`refused ${code}`)
  }

  lost(): void {
    this.hear('lost')
  }

  private hear(what: string): void {
    if (this.told !== null) throw new Error(`a sink is told once: ${this.told}, then ${what}`)
    this.told = what
    this.inside(this)
  }
}

export const tolds = (count: number): Told[] => Array.from({ length: count }, () => new Told())
