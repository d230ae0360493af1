import type { OpenedLine, StepLine, TracedConfiguration, TracedRole } from '../line.ts'
import { SpecDisk } from './disk.ts'
import { SpecLog } from './log.ts'

/** A read that waits at a leader: what it had committed and sent when the read came. */
export interface WaitingRead {
  readonly node: string
  readonly life: number | null
  readonly id: number
  readonly commit: number
  readonly sequence: number
}

/**
 * One server of the specification: the variables of the TLA+ specification of Raft (thesis, appendix B.2), with a disk that
 * lags behind and what reads need (thesis §6.4).
 */
export interface SpecServer {
  readonly name: string
  readonly instance: string
  term: number
  vote: string | null
  role: TracedRole
  readonly log: SpecLog
  commit: number
  /** Those in the log, in order: the newest is in force. */
  configurations: TracedConfiguration[]
  /** Who granted a vote in this term, this server excluded. */
  granted: Set<string>
  /** What each follower said that it holds, in this term of office. */
  match: Map<string, number>
  /** The highest sequence of an answer of each follower that was no refusal, in this term of office. */
  followed: Map<string, number>
  /** The highest sequence that it sent as a leader of this term. */
  sequence: number
  /** Up to here the leader of this term vouched for this log. */
  accepted: number
  /** The first entry of its newest term of office; null before there was one. */
  firstOwn: number | null
  reads: WaitingRead[]
  /** The newest read that came in this term of office, of each process. */
  heard: Map<string, number>
  /** What this process calls itself where it asks its leader for reads; null: it has not asked. */
  asked: number | null
  readonly disk: SpecDisk
  /** How many processes of this node there were before. */
  readonly life: number
  /** Its log was damaged once: it may adopt terms that nobody told it. */
  readonly damaged: boolean
}

/** A server as its process starts. */
export function openedServer(line: OpenedLine, before: SpecServer | null): SpecServer {
  const { node: name, instance, term, vote, base, baseTerm, runs, configurations, owes } = line
  const disk = new SpecDisk(line)
  const sameDisk = before !== null && before.instance === instance
  if (sameDisk && !owes) before.disk.reopen(disk)
  return {
    name,
    instance,
    term,
    vote,
    role: 'follower',
    log: SpecLog.from(base, baseTerm, runs),
    commit: base,
    configurations: [...configurations],
    granted: new Set(),
    match: new Map(),
    followed: new Map(),
    sequence: 0,
    accepted: 0,
    firstOwn: null,
    reads: [],
    heard: new Map(),
    asked: null,
    disk,
    life: (before?.life ?? -1) + 1,
    damaged: owes || (sameDisk && before.damaged),
  }
}

/** The configuration in force; null before there is one. */
export function configurationOf({ configurations }: SpecServer): TracedConfiguration | null {
  return configurations.at(-1) ?? null
}

/** Whether these are a majority of the voters, and of those before them while a change is joint. */
export function isQuorum(configuration: TracedConfiguration | null, has: (voter: string) => boolean): boolean {
  if (configuration === null) return false
  const majority = (voters: readonly string[]): boolean => 2 * voters.filter(has).length > voters.length
  return majority(configuration.voters) && (configuration.outgoing.length === 0 || majority(configuration.outgoing))
}

/** Whether the step is one of a leader, before it and in the same term. */
export function ledBefore(server: SpecServer, { state }: StepLine): boolean {
  return server.role === 'leader' && server.term === state.term
}
