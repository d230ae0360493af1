import { type GroupId, type LogIndex, logIndex, type NodeId, type Term } from '../../base/brand.ts'
import { decodePayload } from '../../codec/entry/payload-codec.ts'
import { payloadAt, recordIndex, recordKind, recordLength, recordTerm } from '../../codec/entry/record.ts'
import { verifyRecords } from '../../codec/entry/batch.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { TermRun } from '../../base/term-run.ts'
import type { ConfigurationEntry, Message } from '../../raft/types.ts'
import { configurationIn, type Self } from '../membership/known-configuration.ts'

/** A Raft message from a peer with the records it carried. */
export interface ReceivedMessage {
  readonly kind: 'received'
  readonly from: NodeId
  readonly message: Message
  readonly records: Uint8Array
}

/** What this node's log says of the entry before a message's. */
export interface ReceivingLog {
  readonly group: GroupId
  readonly self: Self
  termAt(index: LogIndex): Term | null
  /** Null: not known without a look at the disk. */
  chainAt(index: LogIndex): number | null
}

/**
 * The message as the core may see it, with the Configurations among its records. Every hop verifies checksums, order and,
 * where this log knows it of the entry before, the chain (storage.md §2), and that the records are the very entries that the
 * message names. Null for one that fails: it is dropped, and Raft sends its entries again.
 */
export function verifiedMessage(received: ReceivedMessage, log: ReceivingLog): Message | null {
  const { message, records } = received
  if (message.kind !== 'appendEntries') return message
  if (records.length === 0) return message.runs.length === 0 ? message : null
  const { prevLogIndex, prevLogTerm } = message
  const matches = log.termAt(prevLogIndex) === prevLogTerm
  const verified = verifyRecords(records, {
    group: log.group,
    first: logIndex(prevLogIndex + 1),
    previousTerm: prevLogTerm,
    previousChain: matches ? log.chainAt(prevLogIndex) : null,
  })
  if (!('count' in verified) || verified.lastTerm > message.term) return null
  const contents = contentsOf(records, log.self)
  if (contents === null || !sameRuns(contents.runs, message.runs)) return null
  return { ...message, configurations: contents.configurations }
}

interface Contents {
  readonly runs: readonly TermRun[]
  readonly configurations: readonly ConfigurationEntry[]
}

/** What the core knows of verified records; null when a Configuration among them is none. PERF: a walk of plain reads. */
function contentsOf(records: Uint8Array, self: Self): Contents | null {
  const runs: { first: LogIndex; last: LogIndex; term: Term }[] = []
  const configurations: ConfigurationEntry[] = []
  let run: { first: LogIndex; last: LogIndex; term: Term } | null = null
  for (let offset = 0; offset < records.length; offset += recordLength(records, offset)) {
    const index = recordIndex(records, offset)
    const term = recordTerm(records, offset)
    if (run !== null && run.term === term) run.last = index
    else {
      run = { first: index, last: index, term }
      runs.push(run)
    }
    if (recordKind(records, offset) !== 'Configuration') continue
    const configuration = configurationAt(index, payloadAt(records, offset), self)
    if (configuration === null) return null
    configurations.push(configuration)
  }
  return { runs, configurations }
}

/** A Configuration from a peer as the core knows it; null when it does not decode or names no voter. */
function configurationAt(index: LogIndex, payload: Uint8Array, self: Self): ConfigurationEntry | null {
  try {
    const configuration = configurationIn(decodePayload('Configuration', payload), self)
    return configuration.voters.length === 0 ? null : { index, configuration }
  } catch (error) {
    if (error instanceof ValueError) return null
    throw error
  }
}

function sameRuns(left: readonly TermRun[], right: readonly TermRun[]): boolean {
  return (
    left.length === right.length &&
    left.every(
      (run, at) => run.first === right[at]?.first && run.last === right[at].last && run.term === right[at].term,
    )
  )
}
