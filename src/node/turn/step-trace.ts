import { unreachable } from '../../base/assert.ts'
import { role, type RaftState, termAt } from '../../raft/index.ts'
import type { Configuration, ConfigurationEntry, Effect, Message, RaftEvent, Restored } from '../../raft/types.ts'
import type { WriteNumber } from '../../base/brand.ts'
import type {
  TracedConfiguration,
  TracedEvent,
  TracedMessage,
  TracedState,
  TracedWrite,
  WriteTrace,
} from '../../trace/line.ts'
import type { Identity } from '../options.ts'

/** Writes down what this node's core does, so that it can be held against a specification (src/trace). */
export class StepTrace {
  private readonly node: string
  private readonly instance: string
  private readonly write: WriteTrace

  constructor(identity: Identity, write: WriteTrace) {
    this.node = identity.id
    this.instance = identity.instance
    this.write = write
  }

  opened(restored: Restored): void {
    const { hardState, snapshotIndex, snapshotTerm, runs, configurations, obligation } = restored
    this.write({
      kind: 'opened',
      node: this.node,
      instance: this.instance,
      term: hardState.currentTerm,
      vote: hardState.votedFor,
      base: snapshotIndex,
      baseTerm: snapshotTerm,
      runs: runs.map(({ first, last, term }) => ({ first, last, term })),
      configurations: configurations.map(tracedEntry),
      owes: obligation !== null,
    })
  }

  written(write: WriteNumber): void {
    this.write({ kind: 'written', node: this.node, write })
  }

  step(event: RaftEvent, effects: readonly Effect[], state: RaftState): void {
    this.write({
      kind: 'step',
      node: this.node,
      event: tracedEvent(event),
      write: tracedWrite(effects),
      sends: effects.flatMap((effect) =>
        effect.kind === 'send' ? [{ to: effect.to, message: tracedMessage(effect.message), after: effect.after }] : [],
      ),
      reads: effects.flatMap((effect) => (effect.kind === 'readReady' ? [{ id: effect.id, index: effect.index }] : [])),
      state: tracedState(state),
    })
  }
}

function tracedEvent(event: RaftEvent): TracedEvent {
  switch (event.kind) {
    case 'receive':
      return { kind: 'receive', from: event.from, message: tracedMessage(event.message) }
    case 'persisted':
      return { kind: 'persisted', write: event.write }
    case 'bootstrapped':
      return { kind: 'bootstrapped', configuration: traced(0, event.configuration) }
    case 'read':
      return { kind: 'read', id: event.id }
    case 'snapshotted':
      return { kind: 'snapshotted', index: event.index }
    case 'snapshotInstalled': {
      const { index, term, configurations } = event
      const newest = configurations.at(-1)
      return {
        kind: 'snapshotInstalled',
        index,
        term,
        configuration: newest === undefined ? null : tracedEntry(newest),
      }
    }
    case 'start':
    case 'tick':
    case 'propose':
    case 'campaign':
    case 'halted':
    case 'resumed':
    case 'votersHalted':
    case 'transfer':
    case 'reachable':
    case 'unreachable':
    case 'stalled':
    case 'changeMembership':
    case 'setLease':
      return { kind: event.kind }
    default:
      return unreachable(event)
  }
}

/** Who reads a trace needs neither the configurations that travel in records, nor the hints of a refusal. */
function tracedMessage(message: Message): TracedMessage {
  if (message.kind === 'appendEntries') {
    const { kind, term, prevLogIndex, prevLogTerm, leaderCommit, sequence } = message
    const runs = message.runs.map((run) => ({ first: run.first, last: run.last, term: run.term }))
    return { kind, term, prevLogIndex, prevLogTerm, runs, leaderCommit, sequence }
  }
  return message
}

function tracedWrite(effects: readonly Effect[]): TracedWrite | null {
  const effect = effects.find(({ kind }) => kind === 'persist' || kind === 'restartLog')
  if (effect?.kind !== 'persist' && effect?.kind !== 'restartLog') return null
  const { hardState, write: number } = effect
  const written = hardState === null ? null : { term: hardState.currentTerm, vote: hardState.votedFor }
  if (effect.kind === 'restartLog') {
    const { index, term } = effect
    return { number, hardState: written, truncateFrom: null, runs: [], restart: { index, term } }
  }
  const runs = effect.entries.map(({ first, last, term }) => ({ first, last, term }))
  return { number, hardState: written, truncateFrom: effect.truncateFrom, runs, restart: null }
}

function tracedState(state: RaftState): TracedState {
  const { currentTerm, votedFor, trail, lastIndex, commitIndex, configurations, agreed } = state
  const newest = configurations.at(-1)
  const initial = agreed === null ? null : traced(0, agreed.configuration)
  return {
    role: role(state),
    term: currentTerm,
    vote: votedFor,
    base: trail.snapshotIndex,
    baseTerm: trail.snapshotTerm,
    last: lastIndex,
    lastTerm: termAt(state, lastIndex) ?? 0,
    commit: commitIndex,
    configuration: newest === undefined ? initial : tracedEntry(newest),
  }
}

function tracedEntry({ index, configuration }: ConfigurationEntry): TracedConfiguration {
  return traced(index, configuration)
}

function traced(index: number, { voters, learners, outgoing, lease }: Configuration): TracedConfiguration {
  return { index, voters, learners, outgoing, lease: lease !== undefined }
}
