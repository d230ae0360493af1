import { groupId, logIndex, nodeId, term, writeNumber } from '../../../src/base/brand.ts'
import type { NodeId } from '../../../src/base/brand.ts'
import { EntryEncoder } from '../../../src/codec/entry/entry-encoder.ts'
import { forEachOffset } from '../../../src/codec/entry/batch.ts'
import { readHeader, recordChain, recordIndex } from '../../../src/codec/entry/record.ts'
import type { EntryKind } from '../../../src/codec/entry/entry.ts'
import type { Clock, Timer } from '../../../src/node/ports/clock.ts'
import type { LogRestart, LogStore, LogWrite, ReadRecords, RecoveredLog } from '../../../src/node/ports/log-store.ts'
import type { StorageFault } from '../../../src/node/ports/storage-fault.ts'
import type { Disk } from '../../../src/storage/disk/disk.ts'
import { openLog } from '../../../src/storage/opening/open-log.ts'
import type { OpenLogOptions } from '../../../src/storage/log/log-options.ts'

/** A disk to test a log on, and how its completions come about. */
export interface LogHarness {
  readonly disk: Disk
  readonly clock: Pick<Clock, 'monotonicMs' | 'setTimer'>
  /** Lets time and the disk go on until the condition holds; throws when it never does. */
  until(condition: () => boolean, what: string): Promise<void>
  dispose(): Promise<void>
}

/** Time that stands still; timers fire when the test says. */
export class ManualClock implements Pick<Clock, 'monotonicMs' | 'setTimer'> {
  private timers: (() => void)[] = []
  private time = 0

  monotonicMs(): number {
    return this.time
  }

  advance(ms: number): void {
    this.time += ms
  }

  setTimer(_delayMs: number, callback: () => void): Timer {
    this.timers.push(callback)
    return { cancel: () => (this.timers = this.timers.filter((timer) => timer !== callback)) }
  }

  fireAll(): void {
    const timers = this.timers
    this.timers = []
    for (const timer of timers) timer()
  }
}

export const DIRECTORY = 'group-0'
export const SELF = nodeId('node-1')

export interface OpenedFixture {
  readonly store: LogStore
  readonly recovered: RecoveredLog
  readonly persisted: number[]
  readonly faults: StorageFault[]
}

export type FixtureOptions = Partial<Omit<OpenLogOptions, 'disk' | 'clock' | 'listener'>> & {
  readonly onRoom?: (short: string | null) => void
}

/** Opens a log with small segments; the fault when it is refused. */
export async function openFixture(
  harness: LogHarness,
  options: FixtureOptions = {},
): Promise<OpenedFixture | StorageFault> {
  const persisted: number[] = []
  const faults: StorageFault[] = []
  let result: OpenedFixture | StorageFault | null = null
  const listener = {
    onPersisted: (write: number) => persisted.push(write),
    onFault: (fault: StorageFault) => faults.push(fault),
    onRoom: (short: string | null) => options.onRoom?.(short),
  }
  const sizes = { segmentBytes: 32 * 1024, firstSegmentBytes: 16 * 1024, cacheBytes: 1024 * 1024 }
  openLog(
    {
      directory: DIRECTORY,
      group: groupId(0),
      snapshot: null,
      ...sizes,
      ...options,
      disk: harness.disk,
      clock: harness.clock,
      listener,
    },
    (fault, opened) => {
      result =
        fault ?? (opened === null ? { code: 'IO_ERROR', message: 'nothing opened' } : { ...opened, persisted, faults })
    },
  )
  await harness.until(() => result !== null, 'the log opens')
  if (result === null) throw new Error('unreachable')
  return result
}

/** Opens a log that must open. */
export async function mustOpen(harness: LogHarness, options: FixtureOptions = {}): Promise<OpenedFixture> {
  const opened = await openFixture(harness, options)
  if ('code' in opened) throw new Error(`${opened.code}: ${opened.message}`)
  return opened
}

/** Writes to a log as a driver does: numbers, chain values and indexes follow from what it holds. */
export class LogAuthor {
  private readonly harness: LogHarness
  private readonly log: OpenedFixture
  private readonly encoder = new EntryEncoder()
  private write: number
  private last: number
  private readonly chains: Map<number, number>
  term = 1
  votedFor: NodeId | null = null

  /** `chains`: chain values of entries that another author wrote. */
  constructor(harness: LogHarness, log: OpenedFixture, chains: ReadonlyMap<number, number> = new Map()) {
    this.harness = harness
    this.chains = new Map(chains)
    this.log = log
    this.write = log.recovered.lastWrite
    this.last = log.recovered.lastIndex
    this.term = Math.max(1, log.recovered.hardState.currentTerm)
    this.votedFor = log.recovered.hardState.votedFor
  }

  /** The same author on the log that was opened again. */
  goOn(log: OpenedFixture): LogAuthor {
    return new LogAuthor(this.harness, log, this.chains)
  }

  get lastIndex(): number {
    return this.last
  }

  /** Reads the chain values of all entries: after an open memory does not have them. */
  async learn(): Promise<void> {
    const { records } = await readAll(this.harness, this.log, { first: 1, last: this.last })
    forEachOffset(records, (offset) => this.chains.set(recordIndex(records, offset), recordChain(records, offset)))
  }

  /** Queues one write of entries whose payloads are these; returns its number. */
  append(payloads: readonly Uint8Array[], truncateFrom: number | null = null): number {
    const first = truncateFrom ?? this.last + 1
    this.write += 1
    this.log.store.append({
      write: writeNumber(this.write),
      hardState: { currentTerm: term(this.term), votedFor: this.votedFor },
      truncateFrom: truncateFrom === null ? null : logIndex(truncateFrom),
      records: this.encode(first, payloads),
      firstIndex: logIndex(payloads.length === 0 ? 0 : first),
      count: payloads.length,
    } satisfies LogWrite)
    this.last = first + payloads.length - 1
    return this.write
  }

  /** Restarts the log behind a snapshot's last entry; returns the number of that write. */
  restart(base: LogRestart['base']): number {
    this.write += 1
    const hardState = { currentTerm: term(this.term), votedFor: this.votedFor }
    this.log.store.restart({ write: writeNumber(this.write), hardState, base })
    this.last = base.index
    this.chains.set(base.index, base.chain)
    return this.write
  }

  async settle(): Promise<void> {
    await this.harness.until(
      () => this.log.persisted.includes(this.write) || this.log.faults.length > 0,
      `write ${this.write} is persisted`,
    )
    const fault = this.log.faults[0]
    if (fault !== undefined) throw new Error(`${fault.code}: ${fault.message}`)
  }

  /** A log that was opened again may not know it: an author does, of what it wrote and was told. */
  chainAt(index: number): number {
    const chain = this.chains.get(index) ?? this.log.store.chainAt(logIndex(index))
    if (chain === null) throw new Error(`nobody knows the chain value of entry ${index}`)
    return chain
  }

  private encode(first: number, payloads: readonly Uint8Array[], kind: EntryKind = 'ClientRequest'): Uint8Array {
    let chain = payloads.length === 0 ? 0 : this.chainAt(first - 1)
    payloads.forEach((payload, at) => {
      const entry = { kind, group: groupId(0), index: logIndex(first + at), term: term(this.term) }
      chain = this.encoder.append({
        ...entry,
        lease: 10 * (first + at),
        now: 1000 + first + at,
        previousChain: chain,
        payload,
      })
      this.chains.set(first + at, chain)
    })
    return this.encoder.finish()
  }
}

/** A payload that names its index, without a zero byte. */
export function payload(seed: number, bytes = 40): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, at) => 1 + ((seed * 31 + at * 7) % 255))
}

export function payloads(first: number, count: number, bytes = 40): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => payload(first + at, bytes))
}

export async function readAll(
  harness: LogHarness,
  log: OpenedFixture,
  range: { first: number; last: number; maxBytes?: number },
): Promise<ReadRecords> {
  let answer: ReadRecords | null = null
  let failed: StorageFault | null = null
  log.store.read(
    { first: logIndex(range.first), last: logIndex(range.last), maxBytes: range.maxBytes ?? 1 << 30 },
    (fault, records) => {
      failed = fault
      answer = records
    },
  )
  await harness.until(() => answer !== null, 'the read completes')
  const fault = failed as StorageFault | null
  if (fault !== null) throw new Error(`${fault.code}: ${fault.message}`)
  return answer as ReadRecords | null as ReadRecords
}

/** index:term of every entry in these records. */
export function listing(records: Uint8Array): string[] {
  const found: string[] = []
  for (let offset = 0; offset < records.length; ) {
    const header = readHeader(records, offset)
    found.push(`${header.index}:${header.term}`)
    offset += 56 + header.payloadLength
  }
  return found
}

export async function closeLog(harness: LogHarness, log: OpenedFixture): Promise<void> {
  let closed = false
  log.store.close(() => {
    closed = true
  })
  await harness.until(() => closed, 'the log closes')
}
