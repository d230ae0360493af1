import { unreachable } from '../base/assert.ts'
import { logIndex, term } from '../base/brand.ts'
import type { PeerBody } from '../node/ports/peer-transport.ts'
import { type ByteReader, type ByteWriter, FrameError } from '../protocol/bytes.ts'
import { readBoolean } from '../protocol/up-frame.ts'
import type { TermRun } from '../base/term-run.ts'
import type { ConfigurationEntry, Message, RejectVoteReason, VoteVerdict } from '../raft/types.ts'

/** Numbers of the bodies on the wire (docs/format.md, "Peer frames"). */
const BODY = {
  hello: 1,
  preVoteRequest: 2,
  preVoteResponse: 3,
  requestVote: 4,
  requestVoteResponse: 5,
  appendEntries: 6,
  appendEntriesResponse: 7,
} as const
/** Order is the wire number, 1 for the first; 0 is "granted". */
const REASONS: readonly RejectVoteReason[] = [
  'leaderAlive',
  'staleTerm',
  'votedForOther',
  'logBehind',
  'notVoter',
  'notBootstrapped',
]
/** Most term runs in one message: one per entry of the largest batch. */
const RUNS_MAX = 8192

const NO_CONFIGURATIONS: readonly ConfigurationEntry[] = []

/** A body without its records, as the header of a peer frame holds it. */
export type PeerHeader =
  | { readonly kind: 'hello'; readonly hasConfiguration: boolean; readonly reply: boolean }
  | { readonly kind: 'raft'; readonly message: Message; readonly wallMs: number }

/** Appends the body's fields; records follow the header as they are. */
export function writeBody(writer: ByteWriter, body: PeerBody): void {
  if (body.kind === 'hello') {
    writer.byte(BODY.hello)
    writer.byte(body.hasConfiguration ? 1 : 0)
    writer.byte(body.reply ? 1 : 0)
    return
  }
  writer.byte(BODY[body.message.kind])
  writer.varint(body.wallMs)
  writeMessage(writer, body.message)
}

function writeMessage(writer: ByteWriter, message: Message): void {
  writer.varint(message.term)
  switch (message.kind) {
    case 'preVoteRequest':
    case 'requestVote':
      writer.varint(message.lastLogIndex)
      writer.varint(message.lastLogTerm)
      return
    case 'preVoteResponse':
      writer.varint(message.requestTerm)
      writeVerdict(writer, message.verdict)
      return
    case 'requestVoteResponse':
      writeVerdict(writer, message.verdict)
      return
    case 'appendEntries':
      writer.varint(message.prevLogIndex)
      writer.varint(message.prevLogTerm)
      writer.varint(message.leaderCommit)
      writer.varint(message.sequence)
      writeRuns(writer, message.runs)
      return
    case 'appendEntriesResponse':
      writer.varint(message.sequence)
      writer.byte(message.result.success ? 1 : 0)
      if (message.result.success) {
        writer.varint(message.result.matchIndex)
        return
      }
      writer.varint(message.result.rejectedIndex)
      writer.varint(message.result.hintIndex)
      writer.varint(message.result.hintTerm)
      return
    default:
      unreachable(message)
  }
}

function writeVerdict(writer: ByteWriter, verdict: VoteVerdict): void {
  writer.byte(verdict.granted ? 0 : REASONS.indexOf(verdict.reason) + 1)
}

/** A run as its length and term: first indexes follow from the one before. */
function writeRuns(writer: ByteWriter, runs: readonly TermRun[]): void {
  writer.varint(runs.length)
  for (const run of runs) {
    writer.varint(run.last - run.first + 1)
    writer.varint(run.term)
  }
}

/** Reads what `writeBody` wrote. Throws FrameError. `configurations` is empty: the records are not here. */
export function readBody(reader: ByteReader): PeerHeader {
  const kind = reader.byte()
  if (kind === BODY.hello) return { kind: 'hello', hasConfiguration: readBoolean(reader), reply: readBoolean(reader) }
  const wallMs = reader.varint()
  return { kind: 'raft', wallMs, message: readMessage(reader, kind) }
}

function readMessage(reader: ByteReader, kind: number): Message {
  const current = term(reader.varint())
  switch (kind) {
    case BODY.preVoteRequest:
      return {
        kind: 'preVoteRequest',
        term: current,
        lastLogIndex: readIndex(reader),
        lastLogTerm: term(reader.varint()),
      }
    case BODY.requestVote:
      return { kind: 'requestVote', term: current, lastLogIndex: readIndex(reader), lastLogTerm: term(reader.varint()) }
    case BODY.preVoteResponse:
      return {
        kind: 'preVoteResponse',
        term: current,
        requestTerm: term(reader.varint()),
        verdict: readVerdict(reader),
      }
    case BODY.requestVoteResponse:
      return { kind: 'requestVoteResponse', term: current, verdict: readVerdict(reader) }
    case BODY.appendEntries:
      return readAppendEntries(reader, current)
    case BODY.appendEntriesResponse:
      return { kind: 'appendEntriesResponse', term: current, sequence: reader.varint(), result: readResult(reader) }
    default:
      throw new FrameError(`peer message kind ${kind} is unknown`)
  }
}

function readAppendEntries(reader: ByteReader, current: ReturnType<typeof term>): Message {
  const prevLogIndex = readIndex(reader)
  const prevLogTerm = term(reader.varint())
  const leaderCommit = readIndex(reader)
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
}

function readRuns(reader: ByteReader, prevLogIndex: number): readonly TermRun[] {
  const count = reader.varint()
  if (count > RUNS_MAX) throw new FrameError(`${count} term runs exceed ${RUNS_MAX}`)
  const runs: TermRun[] = []
  let first = prevLogIndex + 1
  for (let index = 0; index < count; index += 1) {
    const length = reader.varint()
    const last = first + length - 1
    if (length === 0 || !Number.isSafeInteger(last)) throw new FrameError('a term run has no valid length')
    runs.push({ first: logIndex(first), last: logIndex(last), term: term(reader.varint()) })
    first = last + 1
  }
  return runs
}

function readResult(reader: ByteReader): Extract<Message, { kind: 'appendEntriesResponse' }>['result'] {
  if (readBoolean(reader)) return { success: true, matchIndex: readIndex(reader) }
  return {
    success: false,
    rejectedIndex: readIndex(reader),
    hintIndex: readIndex(reader),
    hintTerm: term(reader.varint()),
  }
}

function readVerdict(reader: ByteReader): VoteVerdict {
  const value = reader.byte()
  if (value === 0) return { granted: true }
  const reason = REASONS[value - 1]
  if (reason === undefined) throw new FrameError(`vote reason ${value} is unknown`)
  return { granted: false, reason }
}

function readIndex(reader: ByteReader): ReturnType<typeof logIndex> {
  return logIndex(reader.varint())
}
