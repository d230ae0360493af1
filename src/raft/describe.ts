import { unreachable } from '../base/assert.ts'
import type { TermRun } from '../base/term-run.ts'
import { configurationOf, leaderOf, type RaftState, transferOf } from './state.ts'
import { lastTermOf } from './trail.ts'
import type { Configuration, Effect, HardState, Message, PersistRun, Progress, VoteVerdict } from './types.ts'

/** One line of text for an effect; golden scripts and failing tests share these texts. */
export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case 'persist':
      return `persist write ${effect.write}:${describeWrite(effect)}`
    case 'restartLog': {
      const hardState = effect.hardState === null ? '' : ` ${describeHardState(effect.hardState)}`
      return `restart log behind ${effect.index}@${effect.term} write ${effect.write}:${hardState}`.replace(/:$/, '')
    }
    case 'pullSnapshot':
      return `pull snapshot ${effect.index}@${effect.term} from ${effect.from}`
    case 'send': {
      const waits = effect.after === null ? '' : ` (after write ${effect.after})`
      return `send to ${effect.to}: ${describeMessage(effect.message)}${waits}`
    }
    case 'apply':
      return `apply up to ${effect.upTo}`
    case 'abort':
      return `abort proposals from ${effect.from}`
    case 'refused':
      return `refused ${effect.reason}, leader ${effect.leader ?? 'unknown'}`
    case 'readReady': {
      const limbo = effect.limboFrom === null ? '' : `, from ${effect.limboFrom} on in limbo`
      return `may answer read ${effect.id} at ${effect.index}${limbo}`
    }
    case 'obligationMet':
      return 'owes nothing any more'
    case 'entriesLost':
      return `finds nothing behind ${effect.index}@${effect.term} on any disk, and owed ${effect.owed.index}@${effect.owed.term}`
    case 'readFailed':
      return `cannot answer read ${effect.id}: ${effect.reason}`
    case 'changeRefused':
      return `refused the change: ${effect.reason}, leader ${effect.leader ?? 'unknown'}`
    case 'transferEnded':
      return `transfer ended: ${effect.outcome}`
    default:
      return unreachable(effect)
  }
}

function describeWrite(effect: Extract<Effect, { kind: 'persist' }>): string {
  const hardState = effect.hardState === null ? '' : ` ${describeHardState(effect.hardState)}`
  const truncation = effect.truncateFrom === null ? '' : ` truncate from ${effect.truncateFrom}`
  const entries = effect.entries.length === 0 ? '' : ` entries ${effect.entries.map(describePersistRun).join(' ')}`
  return `${hardState}${truncation}${entries}`
}

function describeHardState({ currentTerm, votedFor }: HardState): string {
  return `term ${currentTerm} vote ${votedFor ?? 'none'}`
}

function describePersistRun(run: PersistRun): string {
  return run.source.kind === 'created' ? `${describeRun(run)} ${run.source.entryKind}` : describeRun(run)
}

/** One line of text for a message. */
export function describeMessage(message: Message): string {
  const { kind, term } = message
  switch (kind) {
    case 'preVoteRequest':
      return `${kind} term ${term} last ${message.lastLogIndex}@${message.lastLogTerm}`
    case 'requestVote': {
      const wish = message.transfer ? ' transfer' : ''
      return `${kind} term ${term} last ${message.lastLogIndex}@${message.lastLogTerm}${wish}`
    }
    case 'timeoutNow':
      return `${kind} term ${term}${message.releases === undefined ? '' : ` releases ${message.releases}`}`
    case 'preVoteResponse':
      return `${kind} term ${term} for ${message.requestTerm} ${describeVerdict(message.verdict)}`
    case 'logEnd': {
      const lost = message.lost === 'nothing' ? '' : ` lost ${message.lost}`
      return `${kind} term ${term} for ${message.requestTerm} last ${message.lastLogIndex}@${message.lastLogTerm}${lost}`
    }
    case 'requestVoteResponse':
      return `${kind} term ${term} ${describeVerdict(message.verdict)}`
    case 'appendEntries': {
      const runs = message.runs.length === 0 ? 'empty' : `entries ${message.runs.map(describeRun).join(' ')}`
      const previous = `prev ${message.prevLogIndex}@${message.prevLogTerm}`
      return `${kind} #${message.sequence} term ${term} ${previous} ${runs} commit ${message.leaderCommit}`
    }
    case 'appendEntriesResponse':
      return `${kind} #${message.sequence} term ${term} ${describeResult(message.result)}`
    case 'installSnapshot':
      return `${kind} #${message.sequence} term ${term} behind ${message.lastIncludedIndex}@${message.lastIncludedTerm}`
    case 'installSnapshotResponse':
      return `${kind} #${message.sequence} term ${term} ${message.matchIndex === 0 ? 'pulling' : `match ${message.matchIndex}`}`
    case 'readIndex':
      return `${kind} term ${term} read ${message.id}`
    case 'readIndexResponse':
      return `${kind} term ${term} read ${message.id} index ${message.index}`
    default:
      return unreachable(kind)
  }
}

function describeResult(result: Extract<Message, { kind: 'appendEntriesResponse' }>['result']): string {
  if (result.success) return `match ${result.matchIndex}`
  return `refused ${result.rejectedIndex} hint ${result.hintIndex}@${result.hintTerm}`
}

function describeVerdict(verdict: VoteVerdict): string {
  return verdict.granted ? 'granted' : `rejected ${verdict.reason}`
}

function describeRun(run: TermRun): string {
  return run.first === run.last ? `${run.first}@${run.term}` : `${run.first}..${run.last}@${run.term}`
}

/** One line of text for a state: role, term, vote, log, and the leader's view of its followers. */
export function describeState(state: RaftState): string {
  const { role, currentTerm, votedFor, commitIndex, lastIndex, disk, config } = state
  const log = `last ${lastIndex}@${lastTermOf(state.trail)} durable ${disk.durableIndex} commit ${commitIndex}`
  const known = configurationOf(state) === null ? ' notBootstrapped' : ''
  const transfer = transferOf(state)
  const handsOver = transfer === null ? '' : ` transfers to ${transfer.to}`
  const owes = describeObligation(state.obligation)
  const halted = `${state.halted ? ' halted' : ''}${state.stalled ? ' stalled' : ''}${handsOver}${owes}`
  const head = `${config.self} ${role.kind}${halted} term ${currentTerm} vote ${votedFor ?? 'none'}`
  const leader = role.kind === 'follower' ? ` leader ${leaderOf(state) ?? 'unknown'}` : ''
  if (role.kind !== 'leader') return `${head}${leader} ${log}${known}`
  const followers = [...role.progress].map(([id, progress]) => `${id} ${describeProgress(progress)}`)
  return followers.length === 0 ? `${head} ${log}` : `${head} ${log} | ${followers.join(' | ')}`
}

function describeObligation(obligation: RaftState['obligation']): string {
  if (obligation === null) return ''
  return obligation.kind === 'reach' ? ` owes ${obligation.index}@${obligation.term}` : ' owes a census'
}

function describeProgress({ mode, matchIndex, nextIndex, inFlight }: Progress): string {
  const waiting = inFlight.length === 0 ? '' : ` inFlight ${inFlight.length}`
  return `${mode} match ${matchIndex} next ${nextIndex}${waiting}`
}

/** The log's runs as text, `1..4@1 5@3`, with what the snapshot covers in front. */
export function describeLog(state: RaftState): string {
  const { snapshotIndex, snapshotTerm, runs } = state.trail
  const snapshot = snapshotIndex === 0 ? [] : [`snapshot ${snapshotIndex}@${snapshotTerm}`]
  const text = [...snapshot, ...runs.map(describeRun)].join(' ')
  return text === '' ? 'empty' : text
}

/** A configuration in one line: `voters n1 n2, outgoing n1, learners n3, promoting n3`; what is empty is left out. */
export function describeConfiguration({ voters, outgoing, learners, promoting, lease }: Configuration): string {
  const lists = Object.entries({ voters, outgoing, learners, promoting })
  const members = lists.flatMap(([name, ids]) => (ids.length === 0 ? [] : [`${name} ${ids.join(' ')}`]))
  const leases = lease === undefined ? [] : [`leases ${lease.ms} ms ± ${lease.driftPermille} ‰`]
  return [...members, ...leases].join(', ')
}
