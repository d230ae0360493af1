import type { Random } from '../../base/random.ts'
import type { EntryKind } from '../../codec/entry/entry.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import type { Limits } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import type { Reply } from '../../session/state-machine.ts'
import { parseSessionId } from '../../base/brand.ts'
import { Violation } from '../checkers/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { SimulatedNode } from '../world/simulated-node.ts'
import type { Witnesses } from './witnesses.ts'

const MILLISECOND = 1000
/** Between two deeds, microseconds. */
const EVERY = [50 * MILLISECOND, 600 * MILLISECOND] as const
/** Letters of one entry. */
const LETTERS = 20

/** Limits under which requests die soon, and outboxes are full soon. */
export function drawLimits(random: Random): Pick<Limits, (typeof CHANGED)[number]> {
  const ackTimeoutMs = random.between(150, 1000)
  return {
    ackTimeoutMs,
    ackTimeoutMaxMs: random.between(ackTimeoutMs, 2000),
    attemptsMax: random.between(1, 5),
    outboxCountMax: random.pick([3, 10, 10_000]),
    windowRequests: random.pick([2, 16, 1024]),
  }
}

const CHANGED = ['ackTimeoutMs', 'ackTimeoutMaxMs', 'attemptsMax', 'outboxCountMax', 'windowRequests'] as const

/**
 * What operators do to those who use the board: end their sessions, change the limits under them, have dead letters sent again
 * and discard some. When the faults are over they are patient, and send every letter again whose session lives.
 */
export class BoardOperator {
  /** Sessions that were ended, changes of limits and moves of letters, as far as that was told. */
  deeds = 0
  private readonly random: Random
  private readonly scheduler: Scheduler
  private readonly nodes: readonly SimulatedNode[]
  private readonly witnesses: Witnesses
  private readonly sessions: () => readonly number[]
  private patient = false
  /** Nothing is left to do, as of the last look. */
  private rests = false

  constructor(parts: {
    readonly random: Random
    readonly scheduler: Scheduler
    readonly nodes: readonly SimulatedNode[]
    readonly witnesses: Witnesses
    readonly sessions: () => readonly number[]
  }) {
    this.random = parts.random
    this.scheduler = parts.scheduler
    this.nodes = parts.nodes
    this.witnesses = parts.witnesses
    this.sessions = parts.sessions
  }

  /** The limits are patient, and every letter that is left is of a session that has ended. */
  get done(): boolean {
    return this.rests
  }

  start(): void {
    this.scheduler.after(this.random.between(...EVERY), () => {
      const node = this.nodes.find(({ driver }) => driver?.leading === true)
      if (node !== undefined && this.patient) this.tidyUp(node)
      else if (node !== undefined) this.act(node)
      this.start()
    })
  }

  heal(): void {
    this.patient = true
  }

  private act(node: SimulatedNode): void {
    const { random } = this
    const deed = random.below(10)
    if (deed < 2) this.evict(node)
    else if (deed < 4) this.change(node, drawLimits(random))
    else this.move(node, random.chance(0.75) ? 'redrive' : 'discard')
  }

  private tidyUp(node: SimulatedNode): void {
    const { machine } = node
    if (machine === null || machine.limits.sessionsMax === 0) return
    if (machine.limits.attemptsMax !== DEFAULT_LIMITS.attemptsMax) return this.change(node, DEFAULT_LIMITS)
    const alive = machine
      .deadLetters(0, Number.MAX_SAFE_INTEGER)
      .filter(({ target }) => machine.sessionFacts(parseSessionId(target.id)?.index ?? 0) !== null)
    if (alive.length === 0) {
      this.rests = this.settled(node)
      return
    }
    // In their order: of one key a newer one may wait, and the older one is of no use to anybody.
    const letters = alive.map(({ letter }) => letter)
    this.moves(node, this.random.chance(0.2) ? 'discard' : 'redrive', letters.slice(0, LETTERS))
  }

  /** Nothing waits that may still die. */
  private settled({ machine }: SimulatedNode): boolean {
    const waits = (session: number): boolean => machine !== null && machine.outbox(session, 0, 1).length > 0
    return !this.sessions().some(waits)
  }

  private evict(node: SimulatedNode): void {
    const { random, witnesses } = this
    const sessions = this.sessions()
    const index = sessions.length === 0 ? 0 : random.pick(sessions)
    const numbers = parseSessionId(node.machine?.sessionFacts(index)?.info.id ?? '')
    if (numbers === null) return
    witnesses.dooms(index)
    const payload = encodePayload('EvictSession', { ...numbers, note: 'simulated' })
    this.submit(node, 'EvictSession', payload, (reply) => {
      if (reply.kind !== 'closed') return
      witnesses.evicted += 1
      const lives = (node.machine?.sessionFacts(index) ?? null) !== null
      if (lives) throw new Violation('a session that operators have ended is over', { session: index })
    })
  }

  private change(node: SimulatedNode, changed: Partial<Limits>): void {
    const present = node.machine?.limits
    if (present === undefined || present.sessionsMax === 0) return
    const { changedAt: basedOn = 0, ...limits } = present
    const wanted = Object.fromEntries(CHANGED.map((name) => [name, changed[name] ?? limits[name]]))
    this.submit(node, 'Limits', encodePayload('Limits', { ...limits, ...wanted, basedOn }), () => undefined)
  }

  private move(node: SimulatedNode, move: 'redrive' | 'discard'): void {
    const { random } = this
    const letters = node.machine?.deadLetters(0, LETTERS).map(({ letter }) => letter) ?? []
    // Numbers that are gone are among them, and the same one twice.
    const drawn = letters.filter(() => random.chance(0.4))
    if (drawn.length === 0) return
    this.moves(node, move, random.chance(0.2) ? [...drawn, ...drawn.slice(0, 1), 1] : drawn)
  }

  private moves(node: SimulatedNode, move: 'redrive' | 'discard', letters: readonly number[]): void {
    this.submit(node, 'MoveDeadLetters', encodePayload('MoveDeadLetters', { move, letters }), (reply) => {
      if (reply.kind !== 'moved' || reply.outcomes.length !== letters.length)
        throw new Violation('an operator hears what became of each letter', { move, letters, reply })
    })
  }

  private submit(
    { driver }: SimulatedNode,
    kind: EntryKind,
    payload: Uint8Array,
    settled: (reply: Reply) => void,
  ): void {
    driver?.submit(kind, payload, {
      settled: (reply) => {
        this.deeds += 1
        settled(reply)
      },
      refused: () => undefined,
      lost: () => undefined,
    })
  }
}
