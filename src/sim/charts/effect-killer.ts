import type { SessionGateway } from '../../gateway/session-gateway.ts'
import type { Driver } from '../../node/driver.ts'
import type { LogStore } from '../../node/ports/log-store.ts'
import type { PeerFrame } from '../../node/ports/peer-transport.ts'
import type { RaftState } from '../../raft/index.ts'
import type { Random } from '../../base/random.ts'
import type { ObservedGateway } from '../world/node-observer.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'

const MILLISECOND = 1000
/** A strike whose boundary no leader comes to within this time gives way to the next. */
const PATIENCE = 1_500 * MILLISECOND

/**
 * What a leader does for an entry, from the frame that brings it to the one that answers it. It may die right before each, and
 * right after.
 */
export const BOUNDARIES = ['propose', 'append', 'durable', 'send', 'commit', 'apply', 'respond'] as const
type Boundary = (typeof BOUNDARIES)[number]
type Side = 'before' | 'after'

/** The process is gone: of what it was doing, nothing more is done. */
export class ProcessKilled extends Error {
  override readonly name = 'ProcessKilled'
}

/** Kills leaders at the boundaries of their effects, one kind after the other, in the middle of what they are doing. */
export class EffectKiller {
  /** Leaders killed, by side and boundary. */
  readonly kills = new Map<string, number>()
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly powerLoss: boolean
  private readonly order: readonly string[]
  private next = 0
  private strike: { readonly at: string; left: number } | null = null
  private active = false

  constructor(parts: { random: Random; scheduler: Scheduler; powerLoss: boolean }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.powerLoss = parts.powerLoss
    const all = BOUNDARIES.flatMap((boundary) => [`before ${boundary}`, `after ${boundary}`])
    const first = this.random.below(all.length)
    this.order = [...all.slice(first), ...all.slice(0, first)]
  }

  start(): void {
    this.active = true
    this.later()
  }

  /** Ends the hunt; healing brings back who is away. */
  stop(): void {
    this.active = false
  }

  /** A node comes to a boundary. Throws `ProcessKilled` when it leads and dies there. */
  reach(node: SimulatedNode, side: Side, boundary: Boundary): void {
    const { strike } = this
    const at = `${side} ${boundary}`
    if (!this.active || strike === null || strike.at !== at || node.driver?.role !== 'leader') return
    strike.left -= 1
    if (strike.left >= 0) return
    this.strike = null
    this.kills.set(at, (this.kills.get(at) ?? 0) + 1)
    node.crash(this.powerLoss && this.random.chance(0.5))
    this.scheduler.after(this.random.between(1, 800) * MILLISECOND, () => {
      if (this.active) node.start()
    })
    this.later()
    throw new ProcessKilled(at)
  }

  /** The core has taken a step, and nothing of it is done yet. */
  reachCommit(node: SimulatedNode, before: RaftState, next: RaftState): void {
    if (next.commitIndex > before.commitIndex) this.reach(node, 'before', 'commit')
  }

  /** A frame leaves for a peer. */
  reachSend(node: SimulatedNode, side: Side, { body }: PeerFrame): void {
    if (body.kind === 'raft' && body.message.kind === 'appendEntries') this.reach(node, side, 'send')
  }

  /** To a process of that node, behind whoever checks what it applies. */
  listen(node: SimulatedNode, driver: Driver): void {
    driver.listen({
      applied: () => this.reach(node, 'after', 'apply'),
      batchApplied: () => undefined,
      roleChanged: () => undefined,
      stopped: () => undefined,
    })
  }

  /** Its log: entries are read once they are committed, and applied when they were read. */
  log(node: SimulatedNode, store: LogStore): LogStore {
    const { append, read } = store
    store.append = (write) => {
      if (write.count > 0) this.reach(node, 'before', 'append')
      append.call(store, write)
      if (write.count > 0) this.reach(node, 'after', 'append')
    }
    store.read = (range, done) => {
      this.reach(node, 'after', 'commit')
      read.call(store, range, (...answer) => {
        this.reach(node, 'before', 'apply')
        done(...answer)
      })
    }
    return store
  }

  /** Its gateway. Both ends are objects with private state: their methods are replaced in place. */
  gateway(node: SimulatedNode, gateway: SessionGateway): ObservedGateway {
    return {
      greeting: () => gateway.greeting(),
      connect: (sink) => {
        const { responded } = sink
        sink.responded = (...answer) => {
          this.reach(node, 'before', 'respond')
          responded.apply(sink, answer)
          this.reach(node, 'after', 'respond')
        }
        const connection = gateway.connect(sink)
        const { receiveRequest } = connection
        connection.receiveRequest = (request) => {
          this.reach(node, 'before', 'propose')
          receiveRequest.call(connection, request)
          this.reach(node, 'after', 'propose')
        }
        return connection
      },
    }
  }

  private later(): void {
    this.scheduler.after(this.random.between(100, 600) * MILLISECOND, () => this.arm())
  }

  private arm(): void {
    if (!this.active) return
    const strike = { at: this.order[this.next % this.order.length] ?? '', left: this.random.below(4) }
    this.next += 1
    this.strike = strike
    this.scheduler.after(PATIENCE, () => {
      if (this.strike === strike) this.arm()
    })
  }
}
