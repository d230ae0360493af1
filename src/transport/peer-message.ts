import { logIndex, type LogIndex, type Term, term } from '../base/brand.ts'
import { BUILD_VERSIONS_MAX } from '../codec/entry/names.ts'
import type { BuildMachine, PeerBody } from '../node/ports/peer-transport.ts'
import { type ByteReader, type ByteWriter, FrameError } from '../protocol/bytes.ts'
import { boolean, type Field, layout, list, Messages, text, uint32, varint } from '../protocol/fields.ts'
import { NAME_BYTES_MAX, TEXT_BYTES_MAX } from '../protocol/limits.ts'
import type { TermRun } from '../base/term-run.ts'
import type { ConfigurationEntry, Message, RejectVoteReason, VoteVerdict } from '../raft/types.ts'

/** Order is the wire number, 1 for the first; 0 is "granted". */
const REASONS: readonly RejectVoteReason[] = [
  'leaderAlive',
  'staleTerm',
  'votedForOther',
  'logBehind',
  'notVoter',
  'notBootstrapped',
]
/** Hexadecimal digits of a fingerprint. */
const HASH_CHARS_MAX = 64
/** Most term runs in one message: one per entry of the largest batch. */
const RUNS_MAX = 8192

const NO_CONFIGURATIONS: readonly ConfigurationEntry[] = []

/** A body without its records, as the header of a peer frame holds it. */
export type PeerHeader =
  | Exclude<PeerBody, { kind: 'raft' }>
  | { readonly kind: 'raft'; readonly message: Message; readonly wallMs: number }

type AppendEntries = Extract<Message, { kind: 'appendEntries' }>
type AppendEntriesResponse = Extract<Message, { kind: 'appendEntriesResponse' }>

const termNumber: Field<Term> = { write: varint.write, read: (reader) => term(reader.varint()) }
const index: Field<LogIndex> = { write: varint.write, read: (reader) => logIndex(reader.varint()) }

const VERDICT: Field<VoteVerdict> = {
  write: (writer, verdict) => writer.byte(verdict.granted ? 0 : REASONS.indexOf(verdict.reason) + 1),
  read: (reader) => {
    const value = reader.byte()
    if (value === 0) return { granted: true }
    const reason = REASONS[value - 1]
    if (reason === undefined) throw new FrameError(`vote reason ${value} is unknown`)
    return { granted: false, reason }
  },
}

const APPEND_ENTRIES_NUMBER = 6

/**
 * PERF: by hand and looked for first, because every batch of entries to every follower passes here
 * (protocol/fields.ts); and the runs' first indexes follow from `prevLogIndex`. `configurations` is empty: the
 * records, which hold them, are not here.
 */
const APPEND_ENTRIES: Field<AppendEntries> = {
  write: (writer, message) => {
    writer.varint(message.term)
    writer.varint(message.prevLogIndex)
    writer.varint(message.prevLogTerm)
    writer.varint(message.leaderCommit)
    writer.varint(message.sequence)
    writeRuns(writer, message.runs)
  },
  read: (reader) => {
    const current = term(reader.varint())
    const prevLogIndex = logIndex(reader.varint())
    const prevLogTerm = term(reader.varint())
    const leaderCommit = logIndex(reader.varint())
    const sequence = reader.varint()
    const runs = readRuns(reader, prevLogIndex)
    return {
      kind: 'appendEntries',
      term: current,
      prevLogIndex,
      prevLogTerm,
      runs,
      leaderCommit,
      configurations: NO_CONFIGURATIONS,
      sequence,
    }
  },
}

/** PERF: by hand, as its request. */
const APPEND_ENTRIES_RESPONSE: Field<AppendEntriesResponse> = {
  write: (writer, message) => {
    writer.varint(message.term)
    writer.varint(message.sequence)
    writeResult(writer, message.result)
  },
  read: (reader) => ({
    kind: 'appendEntriesResponse',
    term: term(reader.varint()),
    sequence: reader.varint(),
    result: readResult(reader),
  }),
}

function writeResult(writer: ByteWriter, result: AppendEntriesResponse['result']): void {
  writer.byte(result.success ? 1 : 0)
  if (result.success) return writer.varint(result.matchIndex)
  writer.varint(result.rejectedIndex)
  writer.varint(result.hintIndex)
  writer.varint(result.hintTerm)
}

function readResult(reader: ByteReader): AppendEntriesResponse['result'] {
  if (boolean.read(reader)) return { success: true, matchIndex: index.read(reader) }
  return {
    success: false,
    rejectedIndex: index.read(reader),
    hintIndex: index.read(reader),
    hintTerm: termNumber.read(reader),
  }
}

/** A run as its length and term: first indexes follow from the one before. */
function writeRuns(writer: ByteWriter, runs: readonly TermRun[]): void {
  writer.varint(runs.length)
  for (const run of runs) {
    writer.varint(run.last - run.first + 1)
    writer.varint(run.term)
  }
}

function readRuns(reader: ByteReader, prevLogIndex: number): readonly TermRun[] {
  const count = reader.varint()
  if (count > RUNS_MAX) throw new FrameError(`${count} term runs exceed ${RUNS_MAX}`)
  const runs: TermRun[] = []
  let first = prevLogIndex + 1
  for (let run = 0; run < count; run += 1) {
    const length = reader.varint()
    const last = first + length - 1
    if (length === 0 || !Number.isSafeInteger(last)) throw new FrameError('a term run has no valid length')
    runs.push({ first: logIndex(first), last: logIndex(last), term: term(reader.varint()) })
    first = last + 1
  }
  return runs
}

/** Number of a hello; those of Raft's messages are in the table (docs/format.md, "Peer frames"). */
const HELLO_NUMBER = 1
const HELLO = layout<Extract<PeerHeader, { kind: 'hello' }>>('hello', { hasConfiguration: boolean, reply: boolean })

/** Number of an address; the last one that every build takes. */
const REACHED_AT_NUMBER = 8
const REACHED_AT = layout<Extract<PeerHeader, { kind: 'reachedAt' }>>('reachedAt', { address: text(TEXT_BYTES_MAX) })

/** Number of a build; sent to peers that take it alone, as all above it. */
const BUILD_NUMBER = 9
const FINGERPRINT = text(HASH_CHARS_MAX)
const VERSION: Field<BuildMachine['versions'][number]> = {
  write: (writer, { version, schema, code }) => {
    writer.varint(version)
    writer.text(schema)
    writer.text(code)
  },
  read: (reader) => ({
    version: reader.varint(),
    schema: FINGERPRINT.read(reader),
    code: FINGERPRINT.read(reader),
  }),
}
const VERSIONS = list('versions', VERSION, BUILD_VERSIONS_MAX)
const MACHINE: Field<BuildMachine> = {
  write: (writer, machine) => {
    writer.text(machine.name)
    VERSIONS.write(writer, machine.versions)
  },
  read: (reader) => ({ name: reader.name(NAME_BYTES_MAX), versions: VERSIONS.read(reader) }),
}
const BUILD = layout<Extract<PeerHeader, { kind: 'build' }>>('build', {
  reply: boolean,
  runtime: text(NAME_BYTES_MAX),
  holdfast: text(NAME_BYTES_MAX),
  development: boolean,
  machines: list('machines', MACHINE, BUILD_VERSIONS_MAX),
})

const APPLIED_NUMBER = 10
const APPLIED = layout<Extract<PeerHeader, { kind: 'applied' }>>('applied', {
  index,
  hashHigh: uint32('a half of a hash'),
  hashLow: uint32('a half of a hash'),
})

/** Numbers of the offer of a snapshot and of its answer. */
const INSTALL_SNAPSHOT_NUMBER = 11
const INSTALL_SNAPSHOT_RESPONSE_NUMBER = 12

const TIMEOUT_NOW_NUMBER = 13

/** Numbers of a follower's question for its reads and of the answer. */
const READ_INDEX_NUMBER = 14
const READ_INDEX_RESPONSE_NUMBER = 15

/**
 * A RequestVote that its leader asked for, with a number of its own: a build that does not know it gets none, and elects by
 * its timeouts.
 */
const TRANSFER_VOTE_NUMBER = 16

/**
 * A TimeoutNow whose leader answers no read by a lease any more. A build that does not know it knows no leases either
 * (`takesLeases`).
 */
const RELEASING_TIMEOUT_NOW_NUMBER = 17

/** Where a log ends, for a voter that owes something. To a build that does not know it nothing is said. */
const LOG_END_NUMBER = 18

/** Where the engine has stopped a node. To a build that does not know it nothing is said. */
const STOPPED_NUMBER = 19
const STOPPED = layout<Extract<PeerHeader, { kind: 'stopped' }>>('stopped', { index, part: text(TEXT_BYTES_MAX) })

/** The highest number that a peer takes: of a build that says nothing, and of this one, as it says itself. */
export const FRAME_KIND_FIRST_BUILD = REACHED_AT_NUMBER
export const FRAME_KIND_MAX = STOPPED_NUMBER

/** Whether a peer whose highest number that is goes by the leases of its Configurations. */
export function takesLeases(kindMax: number): boolean {
  return kindMax >= RELEASING_TIMEOUT_NOW_NUMBER
}

/** The number that a peer must take at least to be sent this body. */
export function frameKindOf(body: PeerBody): number {
  if (body.kind === 'build') return BUILD_NUMBER
  if (body.kind === 'applied') return APPLIED_NUMBER
  if (body.kind === 'stopped') return STOPPED_NUMBER
  if (body.kind !== 'raft') return FRAME_KIND_FIRST_BUILD
  if (isWishedVote(body.message)) return TRANSFER_VOTE_NUMBER
  if (isReleasing(body.message)) return RELEASING_TIMEOUT_NOW_NUMBER
  return LATER_MESSAGES[body.message.kind] ?? FRAME_KIND_FIRST_BUILD
}

/** Of Raft's messages, those that not every build takes. */
const LATER_MESSAGES: { readonly [kind in Message['kind']]?: number } = {
  installSnapshot: INSTALL_SNAPSHOT_NUMBER,
  installSnapshotResponse: INSTALL_SNAPSHOT_RESPONSE_NUMBER,
  timeoutNow: TIMEOUT_NOW_NUMBER,
  readIndex: READ_INDEX_NUMBER,
  readIndexResponse: READ_INDEX_RESPONSE_NUMBER,
  logEnd: LOG_END_NUMBER,
}

type RequestVote = Extract<Message, { kind: 'requestVote' }>

/** A RequestVote of a transfer. */
function isWishedVote(message: Message): message is RequestVote {
  return message.kind === 'requestVote' && message.transfer
}

type TimeoutNow = Extract<Message, { kind: 'timeoutNow' }>

/** A TimeoutNow of a leader that had a lease. */
function isReleasing(message: Message): message is TimeoutNow & { readonly releases: LogIndex } {
  return message.kind === 'timeoutNow' && message.releases !== undefined
}

const TIMEOUT_NOW: Field<TimeoutNow> = {
  write: (writer, message) => termNumber.write(writer, message.term),
  read: (reader) => ({ kind: 'timeoutNow', term: termNumber.read(reader) }),
}

const requestVote = (transfer: boolean): Field<RequestVote> =>
  layout('requestVote', {
    term: termNumber,
    lastLogIndex: index,
    lastLogTerm: termNumber,
    // Said by the number of the kind.
    transfer: { write: () => {}, read: () => transfer },
  })
const TRANSFER_VOTE = requestVote(true)

/** By their places. */
const LOSSES = ['nothing', 'entries', 'term'] as const
const LOST: Field<(typeof LOSSES)[number]> = {
  write: (writer, lost) => writer.byte(LOSSES.indexOf(lost)),
  read: (reader) => {
    const lost = LOSSES[reader.byte()]
    if (lost === undefined) throw new FrameError('a log end says what was lost')
    return lost
  },
}

const MESSAGES = new Messages<Message>('peer message kind', {
  preVoteRequest: [2, layout('preVoteRequest', { term: termNumber, lastLogIndex: index, lastLogTerm: termNumber })],
  preVoteResponse: [3, layout('preVoteResponse', { term: termNumber, requestTerm: termNumber, verdict: VERDICT })],
  requestVote: [4, requestVote(false)],
  requestVoteResponse: [5, layout('requestVoteResponse', { term: termNumber, verdict: VERDICT })],
  appendEntries: [APPEND_ENTRIES_NUMBER, APPEND_ENTRIES],
  appendEntriesResponse: [7, APPEND_ENTRIES_RESPONSE],
  installSnapshot: [
    INSTALL_SNAPSHOT_NUMBER,
    layout('installSnapshot', {
      term: termNumber,
      lastIncludedIndex: index,
      lastIncludedTerm: termNumber,
      sequence: varint,
    }),
  ],
  installSnapshotResponse: [
    INSTALL_SNAPSHOT_RESPONSE_NUMBER,
    layout('installSnapshotResponse', { term: termNumber, sequence: varint, matchIndex: index }),
  ],
  readIndex: [READ_INDEX_NUMBER, layout('readIndex', { term: termNumber, life: varint, id: varint })],
  readIndexResponse: [
    READ_INDEX_RESPONSE_NUMBER,
    layout('readIndexResponse', { term: termNumber, life: varint, id: varint, index }),
  ],
  timeoutNow: [TIMEOUT_NOW_NUMBER, TIMEOUT_NOW],
  logEnd: [
    LOG_END_NUMBER,
    layout('logEnd', {
      term: termNumber,
      requestTerm: termNumber,
      life: varint,
      lost: LOST,
      lastLogTerm: termNumber,
      lastLogIndex: index,
    }),
  ],
})

/** Appends the body's fields; records follow the header as they are. Raft's messages have the wall clock before them. */
export function writeBody(writer: ByteWriter, body: PeerBody): void {
  if (body.kind === 'hello') {
    writer.byte(HELLO_NUMBER)
    return HELLO.write(writer, body)
  }
  if (body.kind === 'reachedAt') {
    writer.byte(REACHED_AT_NUMBER)
    return REACHED_AT.write(writer, body)
  }
  if (body.kind === 'build') {
    writer.byte(BUILD_NUMBER)
    return BUILD.write(writer, body)
  }
  if (body.kind === 'applied') {
    writer.byte(APPLIED_NUMBER)
    return APPLIED.write(writer, body)
  }
  if (body.kind === 'stopped') {
    writer.byte(STOPPED_NUMBER)
    return STOPPED.write(writer, body)
  }
  const { message, wallMs } = body
  if (message.kind === 'appendEntries') {
    writer.byte(APPEND_ENTRIES_NUMBER)
    writer.varint(wallMs)
    return APPEND_ENTRIES.write(writer, message)
  }
  if (isWishedVote(message)) {
    writer.byte(TRANSFER_VOTE_NUMBER)
    writer.varint(wallMs)
    return TRANSFER_VOTE.write(writer, message)
  }
  if (isReleasing(message)) {
    writer.byte(RELEASING_TIMEOUT_NOW_NUMBER)
    writer.varint(wallMs)
    TIMEOUT_NOW.write(writer, message)
    return index.write(writer, message.releases)
  }
  const [number, fields] = MESSAGES.rowOf(message)
  writer.byte(number)
  writer.varint(wallMs)
  fields.write(writer, message)
}

/** Reads what `writeBody` wrote. Throws FrameError. */
export function readBody(reader: ByteReader): PeerHeader {
  const number = reader.byte()
  if (number === HELLO_NUMBER) return HELLO.read(reader)
  if (number === REACHED_AT_NUMBER) return REACHED_AT.read(reader)
  if (number === BUILD_NUMBER) return BUILD.read(reader)
  if (number === APPLIED_NUMBER) return APPLIED.read(reader)
  if (number === STOPPED_NUMBER) return STOPPED.read(reader)
  const wallMs = reader.varint()
  return { kind: 'raft', wallMs, message: readMessage(reader, number) }
}

function readMessage(reader: ByteReader, number: number): Message {
  if (number === APPEND_ENTRIES_NUMBER) return APPEND_ENTRIES.read(reader)
  if (number === RELEASING_TIMEOUT_NOW_NUMBER) return { ...TIMEOUT_NOW.read(reader), releases: index.read(reader) }
  return number === TRANSFER_VOTE_NUMBER ? TRANSFER_VOTE.read(reader) : MESSAGES.readFields(reader, number)
}
