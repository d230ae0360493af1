import { assert } from '../../src/base/assert.ts'
import { logIndex, type NodeId, type Term, term, type WriteNumber, writeNumber } from '../../src/base/brand.ts'
import type { Configuration, Effect, Message, Obligation, RaftState } from '../../src/raft/index.ts'

/** An entry with its payload, which the core never sees. Payloads are unique, so that two histories are told apart. */
export interface Entry {
  readonly term: Term
  readonly payload: string
  readonly configuration: Configuration | null
}

/** A message on its way, with the records that its runs name. */
export interface Packet {
  readonly from: NodeId
  readonly to: NodeId
  readonly message: Message
  readonly entries: readonly Entry[]
}

export type Write = Extract<Effect, { kind: 'persist' | 'restartLog' }>
export type Send = Extract<Effect, { kind: 'send' }>

/** One node: the core's state, the log its driver holds in memory, and its disk. */
export interface TestNode {
  readonly id: NodeId
  state: RaftState
  up: boolean
  wakeAt: number
  /** Whether the disk answers by itself. */
  diskHeld: boolean
  /** Entries in memory; entry i has index i + 1. */
  log: Entry[]
  /** What a crash leaves: writes that completed. */
  readonly image: {
    currentTerm: Term
    votedFor: NodeId | null
    /** The entries of its log, those below `base` as a witness of what the snapshot there stands for. */
    log: Entry[]
    base: number
    lastWrite: WriteNumber
    /** What an installed snapshot stands for: a log that does not hold its last entry is given up at the next open. */
    snapshot: readonly Entry[]
    /** Noted beside the log. */
    owes: Obligation | null
  }
  readonly queue: { readonly write: Write; readonly entries: readonly Entry[] }[]
  /** What the core asks it to pull, until it has it. */
  pulling: Extract<Effect, { kind: 'pullSnapshot' }> | null
  readonly waiting: { readonly send: Send; readonly entries: readonly Entry[] }[]
  applied: number
  /** How many ms its monotonic clock goes in one. */
  rate: number
}

/** What a node's clock says, and when it says so. */
export const localTime = ({ rate }: TestNode, now: number): number => now * rate
/** A microsecond later where the division may round down. */
export const globalTime = ({ rate }: TestNode, at: number): number => (rate === 1 ? at : at / rate + 0.001)

/** The disk of a node that was never started. */
export function emptyImage(): TestNode['image'] {
  const hardState = { currentTerm: term(0), votedFor: null }
  return { ...hardState, log: [], base: 0, lastWrite: writeNumber(0), snapshot: [], owes: null }
}

/** A node that was never started. */
export function newTestNode(id: NodeId, state: RaftState, image: TestNode['image']): TestNode {
  const idle = { up: false, wakeAt: 0, diskHeld: false, pulling: null, applied: 0, rate: 1 }
  return { id, state, image, log: [], queue: [], waiting: [], ...idle }
}

/** The log on disk goes on behind the installed snapshot. */
export function restartImage(image: TestNode['image']): void {
  image.log = [...image.snapshot]
  image.base = image.snapshot.length
}

/** A write of the node has completed: it is what a crash leaves. */
export function applyWrite(node: TestNode, { write, entries }: TestNode['queue'][number]): void {
  const { image } = node
  if (write.hardState !== null) {
    image.currentTerm = write.hardState.currentTerm
    image.votedFor = write.hardState.votedFor
  }
  if (write.kind === 'restartLog') restartImage(image)
  else if (write.truncateFrom !== null) image.log.length = write.truncateFrom - 1
  image.log.push(...entries)
  image.lastWrite = write.write
}

/** The Configurations among entries of which the first has that index. */
export function configurationsIn(entries: readonly Entry[], first: number) {
  return entries.flatMap(({ configuration }, offset) =>
    configuration === null ? [] : [{ index: logIndex(first + offset), configuration }],
  )
}

/** The message as its receiver's driver hands it on. */
export function withConfigurations({ message, entries }: Packet): Message {
  if (message.kind !== 'appendEntries') return message
  return { ...message, configurations: configurationsIn(entries, message.prevLogIndex + 1) }
}

/**
 * The disk of a node that is down has lost every entry above `kept`, and its log was cut off there. `known`: its newest write
 * can be read, so that its term, its vote and what it had are known; else none of that is.
 */
export function damage({ image, up, id }: TestNode, kept: number, known: boolean): void {
  const last = image.log.at(-1)
  assert(last !== undefined && !up, 'damage is found at a start', { id })
  image.owes ??= known
    ? { kind: 'reach', term: last.term, index: logIndex(image.log.length) }
    : { kind: 'census', told: [] }
  image.log.length = kept
  if (known) return
  image.currentTerm = image.log.at(-1)?.term ?? term(0)
  image.votedFor = null
}
