import { Random } from '../../base/random.ts'
import type { Value } from '../../codec/value/value.ts'
import { CommandSession, type SessionWorld } from '../clients/command-session.ts'
import { type RaceInput, WAITS } from './wait-machine.ts'

const MILLISECOND = 1000

/** Everybody who waits and signals in one seed: few keys, so that every wait races against signals of other sessions. */
export class Racers {
  private readonly random: Random
  private readonly world: SessionWorld
  private readonly sessions: CommandSession[] = []
  private readonly keys: readonly string[]
  private readonly inFlight: number
  /** Ids of waits that somebody may cancel. */
  private readonly waits: string[] = []
  private signals = 0
  private opened = 0
  /** Sessions that have commands left to send, or have not said that they go. */
  private busy = 0

  constructor(parts: { readonly random: Random; readonly world: SessionWorld }) {
    const { random, world } = parts
    this.random = random
    this.world = world
    const names = Array.from({ length: random.between(1, 4) }, (_, at) => `key-${at}`)
    this.keys = random.chance(0.5) ? names : [...names, 'relay-key-0']
    this.inFlight = random.pick([1, 8, 32, 64])
  }

  /** Every command is answered, and whoever wanted to go has gone. */
  get quiet(): boolean {
    return this.busy === 0 && this.sessions.every(({ pending }) => pending === 0)
  }

  get acks(): number {
    return this.sessions.reduce((sum, { acks }) => sum + acks, 0)
  }

  facts(): { readonly [name: string]: number } {
    return { busy: this.busy, pending: this.sessions.reduce((sum, { pending }) => sum + pending, 0) }
  }

  open(): void {
    for (let count = this.random.between(2, 6); count > 0; count -= 1) this.join(this.random.between(100, 1200))
  }

  /** A session that sends so many commands, several at a time, and may go then. */
  private join(commands: number): void {
    this.busy += 1
    this.opened += 1
    const { random } = this
    const state = { left: commands, underWay: 0, goes: random.chance(0.5) }
    const session = new CommandSession(this.world, {
      principal: `user:racer-${this.opened}`,
      roles: [],
      random: new Random(random.uint32()),
      ready: () => {
        for (let lane = 0; lane < this.inFlight; lane += 1) this.next(session, state)
      },
    })
    this.sessions.push(session)
  }

  private next(session: CommandSession, state: { left: number; underWay: number; goes: boolean }): void {
    if (state.left === 0) {
      if (state.underWay > 0) return
      if (!state.goes) this.busy -= 1
      else {
        session.leave(() => {
          this.busy -= 1
        })
      }
      return
    }
    state.left -= 1
    state.underWay += 1
    const { random } = this
    const send = (): void =>
      this.send(session, () => {
        state.underWay -= 1
        this.next(session, state)
      })
    if (random.chance(0.7)) send()
    else this.world.scheduler.after(random.below(20 * MILLISECOND), send)
  }

  private send(session: CommandSession, answered: () => void): void {
    const { random } = this
    const command = pick(random)
    this.signals += 1
    const race: RaceInput = {
      key: random.pick(this.keys),
      waitId: this.waits.length === 0 ? '' : random.pick(this.waits),
      timeoutMs: random.chance(0.5) ? null : random.between(1, 400),
      owned: random.chance(0.3),
      id: `s${this.signals}`,
      retentionMs: random.pick([1, 50, 1000, 60_000]),
      overflow: random.pick(['reject', 'dropOldest', 'coalesce']),
    }
    session.send(WAITS, command, { ...race } as Value, (value) => {
      if (command === 'wait' && typeof value === 'string') this.waits.push(value)
      if (this.waits.length > 32) this.waits.shift()
      answered()
    })
  }
}

function pick(random: Random): string {
  const drawn = random.below(100)
  if (drawn < 46) return 'wait'
  if (drawn < 92) return 'signal'
  return drawn < 97 ? 'cancel' : 'regret'
}
