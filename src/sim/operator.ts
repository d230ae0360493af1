import type { Random } from '../base/random.ts'
import type { EntryKind } from '../codec/entry/entry.ts'
import type { Limits, SessionNumbers } from '../codec/entry/payload.ts'
import { encodePayload } from '../codec/entry/payload-codec.ts'
import { parseSessionId } from '../base/brand.ts'
import type { Reply } from '../session/state-machine.ts'
import { Violation } from './checkers/violation.ts'
import type { Scheduler } from './world/scheduler.ts'
import type { SimulatedNode } from './world/simulated-node.ts'

const MILLISECOND = 1000
/** Between two deeds, microseconds. */
const EVERY = [100 * MILLISECOND, 700 * MILLISECOND] as const
/** How long a bystander's open may be late, ms of the log's clock. */
const OPEN_WITHIN_MS = 60_000

/** A change that was made: nobody else was told the same of another one of the same limits. */
interface Change {
  readonly index: number
  readonly basedOn: number
  readonly sessionsMax: number
}

/**
 * What operators do while faults strike: they change limits, two of them of the same ones, and end sessions that were opened
 * for that, and that nobody uses. Each change is made of the one before it, and each session ends once.
 */
export class Operator {
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private active = true
  private readonly changes: Change[] = []
  private readonly bystanders: SessionNumbers[] = []
  private readonly ended = new Set<number>()

  constructor(parts: { random: Random; scheduler: Scheduler; nodes: readonly SimulatedNode[] }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
  }

  /** Changes of limits that were made, and sessions that were ended, as far as that was told. */
  get deeds(): number {
    return this.changes.length + this.ended.size
  }

  start(): void {
    this.scheduler.after(this.random.between(...EVERY), () => {
      if (!this.active) return
      this.act()
      this.start()
    })
  }

  stop(): void {
    this.active = false
  }

  /** At the end, on the state of a node that has applied everything. */
  checkEnd(machine: SimulatedNode['machine']): void {
    const last = this.changes.at(-1)
    if (last === undefined || machine === null) return
    const { changedAt = 0, sessionsMax } = machine.limits
    // What came after it may have been made without a word to anybody.
    if (changedAt < last.index || (changedAt === last.index && sessionsMax !== last.sessionsMax))
      throw new Violation('the limits are those of the last change', { changedAt, sessionsMax, last: last.index })
  }

  private act(): void {
    const { random, nodes } = this
    const node = nodes.find(({ driver }) => driver?.leading === true)
    if (node === undefined) return
    const deed = random.below(4)
    if (deed === 0) this.openBystander(node)
    else if (deed === 1) this.evict(node)
    else {
      // Made of what any node has applied, which may be old.
      const looked = random.chance(0.7) ? node : random.pick(nodes)
      const operators = random.chance(0.4) ? 2 : 1
      for (let each = 0; each < operators; each += 1) this.change(node, looked)
    }
  }

  private change(node: SimulatedNode, looked: SimulatedNode): void {
    const present = looked.machine?.limits
    if (present === undefined || present.sessionsMax === 0) return
    const { changedAt: basedOn = 0, ...limits } = present
    const changed: Limits = { ...limits, sessionsMax: this.random.between(1_000, 1_000_000) }
    const payload = encodePayload('Limits', { ...changed, basedOn })
    this.submit(node, 'Limits', payload, (reply, index) => {
      if (reply.kind !== 'none') return
      const { sessionsMax } = changed
      const twin = this.changes.find((change) => change.basedOn === basedOn)
      if (twin !== undefined)
        throw new Violation('of two changes that are made of the same limits one is refused', {
          index,
          twin: twin.index,
        })
      this.changes.push({ index, basedOn, sessionsMax })
      this.changes.sort((a, b) => a.index - b.index)
    })
  }

  private openBystander(node: SimulatedNode): void {
    const { random } = this
    const payload = encodePayload('OpenSession', {
      secretHash: Uint8Array.from({ length: 32 }, () => random.below(256)),
      principal: 'user:bystander',
      roles: [],
      capabilities: {},
      name: 'bystander',
      timeoutMs: 24 * 3_600_000,
      validUntil: (node.driver?.logNow() ?? 0) + OPEN_WITHIN_MS,
      ordered: false,
    })
    this.submit(node, 'OpenSession', payload, (reply) => {
      const numbers = reply.kind === 'opened' ? parseSessionId(reply.sessionId) : null
      if (numbers !== null) this.bystanders.push(numbers)
    })
  }

  private evict(node: SimulatedNode): void {
    const { random, bystanders, ended } = this
    if (bystanders.length === 0) return
    const session = random.pick(bystanders)
    this.submit(node, 'EvictSession', encodePayload('EvictSession', { ...session, note: 'simulated' }), (reply) => {
      const now = reply.kind === 'closed'
      if (now && ended.has(session.index)) throw new Violation('a session ends once', { session: session.index })
      if (!now && !(reply.kind === 'refused' && reply.code === 'SESSION_EXPIRED'))
        throw new Violation('a session that nobody uses lives until it is ended', { session: session.index, reply })
      if (now) ended.add(session.index)
    })
  }

  private submit(
    { driver }: SimulatedNode,
    kind: EntryKind,
    payload: Uint8Array,
    settled: (reply: Reply, index: number) => void,
  ): void {
    driver?.submit(kind, payload, { settled, refused: () => undefined, lost: () => undefined })
  }
}
