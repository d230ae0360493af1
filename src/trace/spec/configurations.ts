import type { StepLine, TracedConfiguration } from '../line.ts'
import { allow } from './not-allowed.ts'
import { configurationOf, ledBefore, type SpecServer } from './server.ts'

/** What leaders have written as configuration: by index, then by term. */
export type Configurations = Map<number, Map<number, TracedConfiguration>>

/** A cluster begins with the members that all were started with, before any entry says so. */
export function bootstrap(server: SpecServer, { event }: StepLine): void {
  if (event.kind === 'bootstrapped' && server.configurations.length === 0) {
    server.configurations = [event.configuration]
  }
}

/**
 * Which configuration is in force after the step: the newest in the log (thesis §4.1), as the leader of its term wrote it; one
 * change at a time, through a joint configuration of both (thesis §4.3).
 */
export function checkConfiguration(known: Configurations, server: SpecServer, line: StepLine): void {
  const { configuration } = line.state
  if (line.state.role === 'leader' || ledBefore(server, line)) takeOwn(known, server, line)
  else takeReceived(known, server, line)
  const newest = configurationOf(server)
  const seen = (): string => `${JSON.stringify(configuration)}, where ${JSON.stringify(newest)} is the newest`
  const right = configuration === null ? newest === null : newest !== null && sameMembers(configuration, newest)
  allow(right, 'the newest configuration of the log is in force (thesis §4.1)', seen)
}

function takeOwn(known: Configurations, server: SpecServer, line: StepLine): void {
  const { configuration, term } = line.state
  if (configuration === null || configuration.index === configurationOf(server)?.index) return
  checkChange(server, line, configuration)
  const at = known.get(configuration.index) ?? new Map<number, TracedConfiguration>()
  known.set(configuration.index, at.set(term, configuration))
  server.configurations.push(configuration)
}

/** The configurations among the entries that a message brought: the leaders that wrote them have said which they are. */
function takeReceived(known: Configurations, { log, configurations }: SpecServer, { write }: StepLine): void {
  for (const { first, last } of write?.runs ?? []) {
    for (const [index, byTerm] of known) {
      const entry = index >= first && index <= last ? byTerm.get(log.termAt(index) ?? 0) : undefined
      if (entry !== undefined) configurations.push(entry)
    }
  }
  configurations.sort((left, right) => left.index - right.index)
}

/** A leader appends a configuration. */
function checkChange(server: SpecServer, line: StepLine, next: TracedConfiguration): void {
  const newest = configurationOf(server)
  const seen = (): string => `${JSON.stringify(next)} behind ${JSON.stringify(newest)}, committed ${line.state.commit}`
  const appended = line.write?.runs.some(({ first, last }) => first <= next.index && next.index <= last) ?? false
  allow(appended, 'a configuration is an entry of the log', seen)
  // The first one says what all were started with.
  if (newest === null || newest.index === 0) return
  const { commit } = line.state
  allow(newest.index <= commit, 'one change at a time (thesis §4.1)', seen)
  const ownTerm = server.firstOwn !== null && commit >= server.firstOwn
  allow(ownTerm, 'members change once an entry of the own term is committed (raft-dev, July 2015)', seen)
  const joint = newest.outgoing.length > 0
  const leaves = next.outgoing.length === 0 && same(next.voters, newest.voters)
  const enters = !joint && same(next.outgoing, newest.voters)
  allow(leaves || enters, 'voters change through a joint configuration (thesis §4.3)', seen)
}

function sameMembers(left: TracedConfiguration, right: TracedConfiguration): boolean {
  return left.index === right.index && JSON.stringify(memberOf(left)) === JSON.stringify(memberOf(right))
}

/** A node whose disk took the place of another one's marks the name that the other had with a prime. */
function memberOf({ voters, learners, outgoing, lease }: TracedConfiguration): object {
  const plain = (names: readonly string[]): readonly string[] => names.map((name) => name.replace(/'$/, '')).sort()
  return { voters: plain(voters), learners: plain(learners), outgoing: plain(outgoing), lease }
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((name) => right.includes(name))
}
