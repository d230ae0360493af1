import { assert } from '../../src/base/assert.ts'
import { logIndex, type NodeId, nodeId, term, writeNumber } from '../../src/base/brand.ts'
import {
  checkState,
  checkTransition,
  type Configuration,
  type Effect,
  initialState,
  type Message,
  type RaftConfig,
  type RaftEvent,
  type RaftState,
  step,
} from '../../src/raft/index.ts'
import { DEFAULT_CONFIG } from './cluster.ts'

export const N1 = nodeId('n1')
export const N2 = nodeId('n2')
export const N3 = nodeId('n3')
export const THREE: Configuration = { voters: [N1, N2, N3], learners: [], outgoing: [], promoting: [] }

export interface SoloOptions {
  /** Whether a new cluster begins with an entry `advanceVersion`. Default false. */
  readonly advances?: boolean
  readonly configuration?: Configuration | null
  /** Term of each entry of the log; entry 1 is the Configuration. */
  readonly log?: readonly number[]
  readonly term?: number
  readonly vote?: NodeId | null
  readonly config?: Partial<RaftConfig>
  readonly seed?: number
}

type Sent<Kind extends Message['kind']> = {
  to: NodeId
  after: number | null
  message: Extract<Message, { kind: Kind }>
}

/** One node n1 alone with the test, which plays its disk, its clock and its peers. */
export class Solo {
  state: RaftState
  now = 1000
  wakeAt = Number.POSITIVE_INFINITY
  effects: readonly Effect[] = []

  constructor(options: SoloOptions = {}) {
    const { log = [1], configuration = THREE } = options
    const restored = {
      hardState: { currentTerm: term(options.term ?? log.at(-1) ?? 0), votedFor: options.vote ?? null },
      snapshotIndex: logIndex(0),
      snapshotTerm: term(0),
      runs: log.map((value, at) => ({ first: logIndex(at + 1), last: logIndex(at + 1), term: term(value) })),
      configurations: log.length > 0 && configuration !== null ? [{ index: logIndex(1), configuration }] : [],
      seed: options.seed ?? 1,
      lastWrite: writeNumber(0),
      obligation: null,
    }
    this.state = initialState({ ...DEFAULT_CONFIG, ...options.config, self: N1 }, restored)
    this.step({ kind: 'start' })
    if (log.length === 0 && configuration !== null)
      this.step({ kind: 'bootstrapped', configuration, advances: options.advances ?? false })
  }

  step(event: RaftEvent): readonly Effect[] {
    const before = this.state
    const { state, effects, wakeAt } = step(before, this.now, event)
    checkState(state)
    checkTransition(before, state)
    this.state = state
    this.wakeAt = wakeAt
    this.effects = effects
    return effects
  }

  receive(from: NodeId, message: Message): readonly Effect[] {
    return this.step({ kind: 'receive', from, message })
  }

  /** Completes writes up to `write`, by default all. */
  persist(write: number = this.state.disk.lastWrite): readonly Effect[] {
    return this.step({ kind: 'persisted', write: writeNumber(write) })
  }

  /** Time passes until the node's next deadline, and its timer fires. */
  timeout(): readonly Effect[] {
    assert(Number.isFinite(this.wakeAt), 'a deadline is armed')
    this.now = Math.max(this.now, this.wakeAt)
    return this.step({ kind: 'tick' })
  }

  /** Makes n1 leader of its next term, its own writes durable. */
  lead(): this {
    this.step({ kind: 'campaign' })
    const { currentTerm } = this.state
    if (this.state.role.kind === 'preCandidate') {
      const verdict = { granted: true } as const
      this.receive(N2, { kind: 'preVoteResponse', term: currentTerm, requestTerm: term(currentTerm + 1), verdict })
    }
    this.persist()
    this.receive(N2, { kind: 'requestVoteResponse', term: this.state.currentTerm, verdict: { granted: true } })
    assert(this.state.role.kind === 'leader', 'n1 leads', { role: this.state.role })
    this.leadership = this.effects
    this.persist()
    return this
  }

  /** Effects of the step in which it became leader. */
  leadership: readonly Effect[] = []

  /** Messages of that kind in the last step's effects. */
  sent<Kind extends Message['kind']>(kind: Kind, effects: readonly Effect[] = this.effects): Sent<Kind>[] {
    return effects.flatMap((effect) =>
      effect.kind === 'send' && effect.message.kind === kind ? [effect as unknown as Sent<Kind>] : [],
    )
  }

  /** The write of the last step, or null. */
  write(): Extract<Effect, { kind: 'persist' }> | null {
    for (const effect of this.effects) if (effect.kind === 'persist') return effect
    return null
  }

  /** The last step's `apply`, or null. */
  applied(): number | null {
    for (const effect of this.effects) if (effect.kind === 'apply') return effect.upTo
    return null
  }
}

interface AppendOptions {
  readonly term: number
  readonly prev: readonly [index: number, term: number]
  /** Terms of the entries carried. */
  readonly entries?: readonly number[]
  readonly commit?: number
  readonly sequence?: number
  readonly configuration?: { readonly index: number; readonly configuration: Configuration }
}

/** An AppendEntries message. */
export function appendEntries(options: AppendOptions): Extract<Message, { kind: 'appendEntries' }> {
  const [index, prevTerm] = options.prev
  const runs = (options.entries ?? []).map((value, offset) => {
    const at = logIndex(index + 1 + offset)
    return { first: at, last: at, term: term(value) }
  })
  const { configuration } = options
  return {
    kind: 'appendEntries',
    term: term(options.term),
    prevLogIndex: logIndex(index),
    prevLogTerm: term(prevTerm),
    runs,
    leaderCommit: logIndex(options.commit ?? 0),
    configurations:
      configuration === undefined
        ? []
        : [{ index: logIndex(configuration.index), configuration: configuration.configuration }],
    sequence: options.sequence ?? 1,
  }
}

/** A follower's acknowledgement. */
export function matched(options: { term: number; sequence: number; match: number }): Message {
  const result = { success: true, matchIndex: logIndex(options.match) } as const
  return { kind: 'appendEntriesResponse', term: term(options.term), sequence: options.sequence, result }
}

/** A follower's refusal with its hint. */
export function refused(options: {
  term: number
  sequence: number
  rejected: number
  hint: readonly [number, number]
}): Message {
  const [hintIndex, hintTerm] = options.hint
  const result = {
    success: false,
    rejectedIndex: logIndex(options.rejected),
    hintIndex: logIndex(hintIndex),
    hintTerm: term(hintTerm),
  } as const
  return { kind: 'appendEntriesResponse', term: term(options.term), sequence: options.sequence, result }
}

/** A RequestVote. */
export function requestVote(options: { term: number; last: readonly [number, number]; transfer?: boolean }): Message {
  const [lastLogIndex, lastLogTerm] = options.last
  return {
    kind: 'requestVote',
    term: term(options.term),
    lastLogIndex: logIndex(lastLogIndex),
    lastLogTerm: term(lastLogTerm),
    transfer: options.transfer ?? false,
  }
}

/** A pre-vote request for `term`. */
export function preVote(options: { term: number; last: readonly [number, number] }): Message {
  const [lastLogIndex, lastLogTerm] = options.last
  return {
    kind: 'preVoteRequest',
    term: term(options.term),
    lastLogIndex: logIndex(lastLogIndex),
    lastLogTerm: term(lastLogTerm),
  }
}
