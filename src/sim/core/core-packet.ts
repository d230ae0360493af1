import type { LogIndex, NodeId } from '../../base/brand.ts'
import type { Message } from '../../raft/index.ts'
import { configurationsBehind, type CoreEntry } from './core-entry.ts'

/** A message on its way between nodes. */
export interface CorePacket {
  readonly from: NodeId
  readonly message: Message
  /** The newest of the entries that it carries; null: it carries none. */
  readonly last: CoreEntry | null
}

/** The message of a process whose log has those entries, the first one at 0. */
export function packetOf(from: NodeId, message: Message, entries: readonly CoreEntry[]): CorePacket {
  const last = message.kind === 'appendEntries' ? message.runs.at(-1)?.last : undefined
  return { from, message, last: last === undefined ? null : (entries[last - 1] ?? null) }
}

/** The first entry that it carries, alone: a driver may send in parts what is too long for one message. Null: there is none. */
export function firstPartOf({ from, message, last }: CorePacket): CorePacket | null {
  const run = message.kind === 'appendEntries' ? message.runs[0] : undefined
  if (message.kind !== 'appendEntries' || run === undefined) return null
  return { from, message: { ...message, runs: [{ ...run, last: run.first }] }, last: entryAt(last, run.first) }
}

/** The message as its receiver's driver hands it on: with the Configurations among the entries that it carries. */
export function received({ message, last }: CorePacket): Message {
  if (message.kind !== 'appendEntries' || last === null) return message
  const newest = last.configured
  if (newest === null || newest.index <= message.prevLogIndex) return message
  return { ...message, configurations: configurationsBehind(message.prevLogIndex, last) }
}

/** The entry of that index among those that lead to `last`. */
function entryAt(last: CoreEntry | null, index: LogIndex): CoreEntry | null {
  let entry = last
  while (entry !== null && entry.index > index) entry = entry.previous
  return entry
}
