import { indexAfter, type LogIndex, logIndex, type NodeId, type Term } from '../../base/brand.ts'
import type { Configuration, ConfigurationEntry } from '../../raft/index.ts'
import { Violation } from '../checkers/violation.ts'

/**
 * An entry of the log, which every log and disk that has it holds as this very object. It is made once and knows the one
 * before it: two logs that hold the same entry are alike up to there, and comparing two entries compares all before them.
 */
export class CoreEntry {
  readonly index: LogIndex
  readonly term: Term
  /** Null: it is the first one. */
  readonly previous: CoreEntry | null
  readonly configuration: Configuration | null
  /** The newest entry with a Configuration up to here, perhaps this one; null: there is none. */
  readonly configured: CoreEntry | null

  constructor(term: Term, previous: CoreEntry | null, configuration: Configuration | null) {
    this.index = indexAfter(previous?.index ?? logIndex(0))
    this.term = term
    this.previous = previous
    this.configuration = configuration
    this.configured = configuration === null ? (previous?.configured ?? null) : this
  }
}

/** All entries that were ever made: one leader makes those of a term, and one for each index. */
export class EntryBook {
  private readonly newest = new Map<Term, { readonly node: NodeId; entry: CoreEntry }>()

  /** A new entry behind `previous`, made by the leader of that term. */
  make(node: NodeId, term: Term, previous: CoreEntry | null, configuration: Configuration | null): CoreEntry {
    const entry = new CoreEntry(term, previous, configuration)
    const known = this.newest.get(term)
    if (known === undefined) {
      this.newest.set(term, { node, entry })
      return entry
    }
    if (known.node !== node || known.entry !== previous)
      throw new Violation('one (index, term) is one entry', { node, term, index: entry.index, other: known.node })
    known.entry = entry
    return entry
  }
}

/** The entries up to `last`, in order. PERF: O(log), for restarts and installs. */
export function entriesUpTo(last: CoreEntry | null): CoreEntry[] {
  const entries = last === null ? [] : new Array<CoreEntry>(last.index)
  for (let entry = last; entry !== null; entry = entry.previous) entries[entry.index - 1] = entry
  return entries
}

/** The newest Configuration up to `after`, where there is one, then those of the entries behind it up to `last`. */
export function configurationsAfter(after: LogIndex, last: CoreEntry | null): readonly ConfigurationEntry[] {
  const found = configurationsBehind(after, last)
  let entry = last?.configured ?? null
  while (entry !== null && entry.index > after) entry = entry.previous?.configured ?? null
  if (entry?.configuration != null) found.unshift({ index: entry.index, configuration: entry.configuration })
  return found
}

/** The Configurations of the entries behind `after` up to `last`, in order. */
export function configurationsBehind(after: LogIndex, last: CoreEntry | null): ConfigurationEntry[] {
  const found: ConfigurationEntry[] = []
  for (let entry = last?.configured ?? null; entry !== null && entry.index > after; ) {
    if (entry.configuration !== null) found.unshift({ index: entry.index, configuration: entry.configuration })
    entry = entry.previous?.configured ?? null
  }
  return found
}
