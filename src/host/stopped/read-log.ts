import { settled } from '../../assembly/settled.ts'
import { logIndex } from '../../base/brand.ts'
import type { EntryHeader } from '../../codec/entry/entry.ts'
import { payloadAt, readHeader, recordLength } from '../../codec/entry/record.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import { ValueError } from '../../codec/value/value-error.ts'
import type { LogStore, ReadRecords, RecoveredLog } from '../../node/ports/log-store.ts'
import { type StoppedNode, withStoppedNode } from './open-stopped.ts'

/** An entry of a stopped node's log. */
export interface LogLine {
  readonly index: number
  readonly term: number
  readonly kind: string
  /** Unix ms of the log's clock. */
  readonly nowMs: number
  /** Of the payload. */
  readonly bytes: number
  /** Value of the chain: equal on two nodes, and all entries up to here are. */
  readonly chain: number
  /** `group/incarnation/index`; '': it is of no single session. */
  readonly session: string
  /** `machine.command`; '': it is no command. */
  readonly command: string
}

/** Which entries: [from, to], at most `limit` of them. */
export interface LogRange {
  readonly from: number
  readonly to: number
  readonly limit: number
}

/** What a whole log, and the state below it, have been found to be. */
export interface VerifiedLog {
  readonly node: string
  /** First and last entry; last = first − 1: it holds none. */
  readonly firstIndex: number
  readonly lastIndex: number
  readonly lastTerm: number
  readonly chain: number
  /** Bytes of a last write that never completed: it was never acknowledged. */
  readonly tornBytes: number
  /** 0: there is no snapshot. */
  readonly snapshotIndex: number
}

/** Where two logs part. */
export interface LogDifference {
  /** Entries [from, to] are held by both; from > to: none is. */
  readonly from: number
  readonly to: number
  /** The first of them that differs; null: all are equal, and so is all before them. */
  readonly differsAt: number | null
  readonly left: LogLine | null
  readonly right: LogLine | null
  /** Last entry of each. */
  readonly ends: readonly [number, number]
}

const READ_BYTES = 1024 * 1024

/** The entries of a range, in order. The directory is only read. Rejects with StartError, as `withStoppedNode` does. */
export function showLog(path: string, range: LogRange): Promise<readonly LogLine[]> {
  return withStoppedNode(path, async (node) => {
    const lines: LogLine[] = []
    for await (const line of linesOf(node, range)) lines.push(line)
    return lines
  })
}

/**
 * Reads every entry and every row of a stopped node. Rejects with StartError where one is damaged: LOG_ROT, SNAPSHOT_ROT. The
 * directory is only read.
 */
export function verifyLog(path: string): Promise<VerifiedLog> {
  return withStoppedNode(path, async (node) => {
    const { recovered, snapshot, nodeId } = node
    const { firstIndex, lastIndex, lastChain, tornBytes, runs } = recovered
    const all = { from: firstIndex, to: lastIndex, limit: Number.POSITIVE_INFINITY }
    // Each read verifies what it gives.
    for await (const line of linesOf(node, all)) if (line.index === lastIndex) break
    const lastTerm = runs.at(-1)?.term ?? snapshot?.lastIncludedTerm ?? 0
    const snapshotIndex = snapshot?.lastIncludedIndex ?? 0
    return { node: nodeId, firstIndex, lastIndex, lastTerm, chain: lastChain, tornBytes, snapshotIndex }
  })
}

/**
 * Compares two logs, by the chain value of a logarithm of their common entries: equal values say that all entries up to there
 * are equal. Rejects with StartError, as `withStoppedNode` does.
 */
export function diffLogs(left: string, right: string): Promise<LogDifference> {
  return withStoppedNode(left, (one) => withStoppedNode(right, (other) => difference(one, other)))
}

async function difference(one: StoppedNode, other: StoppedNode): Promise<LogDifference> {
  const from = Math.max(one.recovered.firstIndex, other.recovered.firstIndex)
  const to = Math.min(one.recovered.lastIndex, other.recovered.lastIndex)
  const ends = [one.recovered.lastIndex, other.recovered.lastIndex] as const
  const same = { from, to, differsAt: null, left: null, right: null, ends }
  const equalAt = async (index: number): Promise<boolean> =>
    (await lineAt(one, index))?.chain === (await lineAt(other, index))?.chain
  if (from > to || (await equalAt(to))) return same
  let [equal, differs] = [from - 1, to]
  while (differs - equal > 1) {
    const middle = Math.floor((equal + differs) / 2)
    if (await equalAt(middle)) equal = middle
    else differs = middle
  }
  return { ...same, differsAt: differs, left: await lineAt(one, differs), right: await lineAt(other, differs) }
}

async function lineAt(node: StoppedNode, index: number): Promise<LogLine | null> {
  for await (const line of linesOf(node, { from: index, to: index, limit: 1 })) return line
  return null
}

interface Kept {
  readonly log: Pick<LogStore, 'read'>
  readonly recovered: Pick<RecoveredLog, 'firstIndex' | 'lastIndex'>
}

async function* linesOf({ log, recovered }: Kept, { from, to, limit }: LogRange): AsyncGenerator<LogLine> {
  let next = Math.max(from, recovered.firstIndex)
  const last = Math.min(to, recovered.lastIndex)
  let told = 0
  while (next <= last && told < limit) {
    const range = { first: logIndex(next), last: logIndex(last), maxBytes: READ_BYTES }
    const { records } = await settled<ReadRecords>((done) => log.read(range, done))
    for (let offset = 0; offset < records.length && told < limit; offset += recordLength(records, offset)) {
      const header = readHeader(records, offset)
      yield lineOf(header, payloadAt(records, offset))
      told += 1
      next = header.index + 1
    }
  }
}

function lineOf({ index, term, kind, now, chain }: EntryHeader, payload: Uint8Array): LogLine {
  const line = { index, term, kind, nowMs: now, bytes: payload.length, chain, session: '', command: '' }
  if (kind !== 'ClientRequest') return line
  try {
    const { group, incarnation, index: session, machine, command } = sessionCodec.decodeClientRequest(payload)
    return { ...line, session: `${group}/${incarnation}/${session}`, command: `${machine}.${command}` }
  } catch (error) {
    if (error instanceof ValueError) return line
    throw error
  }
}
