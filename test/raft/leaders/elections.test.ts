import { describe, expect, test } from 'vitest'
import { nodeId, type NodeId, writeNumber } from '../../../src/base/brand.ts'
import { Random } from '../../../src/base/random.ts'
import { initialState, type Message, type RaftEvent, type RaftState, step } from '../../../src/raft/index.ts'
import { logIndex, term } from '../../../src/base/brand.ts'
import { DEFAULT_CONFIG } from '../cluster.ts'

interface Due {
  readonly at: number
  readonly node: NodeId
  readonly event: RaftEvent
}

/** How long things take, ms: uniform in [low, high]. */
interface Pace {
  readonly network: readonly [number, number]
  readonly disk: readonly [number, number]
  /** When a node hears that the leader's process is gone; null: by its silence alone. */
  readonly evidence: readonly [number, number] | null
}

/** How soon a lost connection is dialled again. */
const REDIAL_MS = [5, 10] as const
const LOCAL: Pace = { network: [0.2, 2], disk: [1, 8], evidence: [0, 3] }
const SILENT: Pace = { ...LOCAL, evidence: null }
/** Without a free core, on disks that others write to. */
const CROWDED: Pace = { network: [5, 40], disk: [40, 160], evidence: [0, 60] }

/** A cluster whose messages and disks take time, and whose leader is gone. */
class Race {
  private now = 1000
  private readonly random: Random
  private readonly nodes = new Map<NodeId, { state: RaftState; wakeAt: number; diskFreeAt: number; held: Held[] }>()
  private readonly queue: Due[] = []
  private readonly pace: Pace

  constructor(count: number, seed: number, pace: Pace) {
    this.pace = pace
    this.random = new Random(seed, 7)
    const voters = Array.from({ length: count }, (_, at) => nodeId(`n${at + 1}`))
    for (const self of voters) {
      const restored = {
        hardState: { currentTerm: term(1), votedFor: null },
        snapshotIndex: logIndex(0),
        snapshotTerm: term(0),
        runs: [{ first: logIndex(1), last: logIndex(2), term: term(1) }],
        configurations: [{ index: logIndex(1), configuration: { voters, learners: [], outgoing: [], promoting: [] } }],
        seed: seed * 100 + this.nodes.size,
        lastWrite: writeNumber(0),
        obligation: null,
      }
      const state = initialState({ ...DEFAULT_CONFIG, self }, restored)
      this.nodes.set(self, { state, wakeAt: Number.POSITIVE_INFINITY, diskFreeAt: 0, held: [] })
    }
    for (const self of voters) this.step(self, { kind: 'start' })
  }

  /** The leader's process ends somewhere between two of its heartbeats. Elections held until another leads, and ms. */
  loseLeader(): { elections: number; ms: number } {
    this.runUntil(() => this.leader !== null)
    const { leader } = this
    if (leader === null) throw new Error('somebody leads')
    this.runFor(100 + this.random.float() * 50)
    const before = this.newestTerm
    this.nodes.delete(leader)
    const { evidence } = this.pace
    if (evidence !== null) {
      for (const node of this.nodes.keys()) {
        // What the leader sent last may be read after the reset; dialling again is refused.
        const event = { kind: 'unreachable', peer: leader } as const
        const at = this.now + this.between(evidence)
        this.queue.push({ at, node, event }, { at: at + this.between(REDIAL_MS), node, event })
      }
    }
    const since = this.now
    this.runUntil(() => this.leader !== null)
    return { elections: this.newestTerm - before, ms: this.now - since }
  }

  private get leader(): NodeId | null {
    for (const [id, { state }] of this.nodes) {
      if (state.role.kind === 'leader' && state.currentTerm === this.newestTerm) return id
    }
    return null
  }

  private get newestTerm(): number {
    return Math.max(...[...this.nodes.values()].map(({ state }) => state.currentTerm))
  }

  private runFor(ms: number): void {
    const end = this.now + ms
    this.runUntil(() => false, end)
    this.now = end
  }

  /** Until `done`, or for as long as nothing is due after `end`. */
  private runUntil(done: () => boolean, end = Number.POSITIVE_INFINITY): void {
    for (let steps = 0; steps < 100_000 && !done(); steps += 1) {
      let next: Due | null = null
      for (const due of this.queue) if (next === null || due.at < next.at) next = due
      for (const [node, { wakeAt }] of this.nodes)
        if (next === null || wakeAt < next.at) next = { at: wakeAt, node, event: { kind: 'tick' } }
      if (next === null) throw new Error('something is due')
      if (next.at > end) return
      const at = this.queue.indexOf(next)
      if (at >= 0) this.queue.splice(at, 1)
      this.now = Math.max(this.now, next.at)
      this.step(next.node, next.event)
    }
    expect(done()).toBe(true)
  }

  private step(id: NodeId, event: RaftEvent): void {
    const node = this.nodes.get(id)
    if (node === undefined) return
    if (event.kind === 'persisted') {
      const free = node.held.filter(({ after }) => after <= event.write)
      node.held = node.held.filter(({ after }) => after > event.write)
      for (const { to, message } of free) this.send(id, to, message)
    }
    const { state, effects, wakeAt } = step(node.state, this.now, event)
    node.state = state
    node.wakeAt = wakeAt
    for (const effect of effects) {
      if (effect.kind === 'persist') {
        node.diskFreeAt = Math.max(node.diskFreeAt, this.now) + this.between(this.pace.disk)
        this.queue.push({ at: node.diskFreeAt, node: id, event: { kind: 'persisted', write: effect.write } })
      } else if (effect.kind === 'send') {
        if (effect.after === null) this.send(id, effect.to, effect.message)
        else node.held.push({ to: effect.to, message: effect.message, after: effect.after })
      }
    }
  }

  private send(from: NodeId, to: NodeId, message: Message): void {
    const at = this.now + this.between(this.pace.network)
    this.queue.push({ at, node: to, event: { kind: 'receive', from, message } })
  }

  private between([low, high]: readonly [number, number]): number {
    return low + this.random.float() * (high - low)
  }
}

interface Held {
  readonly to: NodeId
  readonly message: Message
  readonly after: number
}

const SEEDS = 40

describe('after the loss of a leader', () => {
  for (const nodes of [3, 5, 7]) {
    for (const [how, pace, medianMs] of [
      ['whose connections were reset', LOCAL, 60],
      ['whose connections were reset, where loops and disks are slow', CROWDED, 500],
      ['that fell silent', SILENT, Number.POSITIVE_INFINITY],
    ] as const) {
      test(`${how}, ${nodes} nodes hold fewer than 1.3 elections in the mean`, () => {
        let elections = 0
        const times: number[] = []
        for (let seed = 1; seed <= SEEDS; seed += 1) {
          const lost = new Race(nodes, seed, pace).loseLeader()
          elections += lost.elections
          times.push(lost.ms)
        }
        times.sort((left, right) => left - right)
        const median = times[SEEDS / 2] ?? Number.POSITIVE_INFINITY
        if (process.env['PRINT'] !== undefined) console.log(how, nodes, elections / SEEDS, median, times.at(-1))
        expect(elections / SEEDS).toBeLessThan(1.3)
        expect(median).toBeLessThan(medianMs)
      })
    }
  }
})
