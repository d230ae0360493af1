import type { readFacts } from '../../host/backup/read-parts.ts'
import { withCommas } from '../terminal/output.ts'

/** What a backup says of itself. */
export type Facts = Awaited<ReturnType<typeof readFacts>>

/** For a person, a line per subject. */
export function factsLines(facts: Facts): string[] {
  const { snapshot, log, end, machines } = facts
  const state =
    snapshot === null
      ? 'no state: the log has everything'
      : `state as of entry ${withCommas(snapshot.lastIncludedIndex)}, ${withCommas(facts.rows)} rows`
  const entries = log === null ? 'no entries' : `entries ${withCommas(log.first)} to ${withCommas(log.last)}`
  const active = Object.entries(machines).filter(([, version]) => version > 0)
  return [
    `of node ${facts.node}, cluster ${facts.clusterId}, incarnation ${facts.incarnation}, ${iso(facts.createdMs)}`,
    `${state}; ${entries}`,
    `ends with entry ${withCommas(end.index)} of ${iso(end.now)}, term ${end.term}, hash ${end.stateHash || 'not known'}`,
    `machines: ${active.map(([name, version]) => `${name} ${version}`).join(', ') || 'none'}${facts.development ? ', in development mode' : ''}`,
  ]
}

/** As JSON says it. */
export function factsJson(facts: Facts): object {
  const { snapshot, log, end } = facts
  return {
    format: facts.format,
    node: facts.node,
    clusterId: facts.clusterId,
    incarnation: facts.incarnation,
    created: iso(facts.createdMs),
    development: facts.development,
    stateIndex: snapshot?.lastIncludedIndex ?? null,
    rows: facts.rows,
    log,
    index: end.index,
    term: end.term,
    time: iso(end.now),
    chain: end.chain,
    stateHash: end.stateHash || null,
    machines: facts.machines,
    limits: facts.limits,
  }
}

export function iso(ms: number): string {
  return new Date(ms).toISOString()
}
