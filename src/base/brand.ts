import { assert } from './assert.ts'

/**
 * A nominal type: two brands of one base type cannot be swapped. The casts stand in this file, in codecs and in tests
 * only (architecture.md §9.2).
 */
export type Brand<Base, Name extends string> = Base & { readonly __brand: Name }

/** Raft's logical clock (paper §5.1). Integer ≥ 0, never decreases on a node; 0 is before the first election. */
export type Term = Brand<number, 'Term'>

/** Position in the log (paper §5.3). Integer ≥ 0; the first entry has index 1; 0 means "before the log". */
export type LogIndex = Brand<number, 'LogIndex'>

/** The index before the first entry: the last index of an empty log. */
export const BEFORE_LOG = 0 as LogIndex

/** Name of a node, unique in its cluster and stable over restarts: 1–63 of `a-z 0-9 -`. */
export type NodeId = Brand<string, 'NodeId'>

/** Number of a log write of one process, 1, 2, 3, … (architecture.md §3). 0 is "no write". */
export type WriteNumber = Brand<number, 'WriteNumber'>

/** Number of the Raft group inside a process: uint32. Everything is keyed by it (architecture.md §7). */
export type GroupId = Brand<number, 'GroupId'>

/**
 * A client session's id in its text form `group/incarnation/index`, e.g. `0/1/123`; index is the log index of its
 * OpenSession entry (sessions.md §2).
 */
export type SessionId = Brand<string, 'SessionId'>

/** Number a client gives to a command, 1 … 2^53−1, rising within a session (sessions.md §3). */
export type RequestId = Brand<number, 'RequestId'>

/** Number the server gives to a server request, 1, 2, 3, … per session (sessions.md §5). */
export type ServerRequestId = Brand<number, 'ServerRequestId'>

/**
 * Milliseconds. Which clock (monotonic, `lease`, `now`) is named where it is used; those of the log are integers, monotonic
 * ones may have a fraction.
 */
export type Millis = number

/*
 * Constructors of the numbers above. They crash (`AssertionError`) at what is no integer from 0 to 2^53−1, so bytes from
 * outside are checked before.
 */
export const term = (value: number): Term => natural(value, 'term') as Term
export const logIndex = (value: number): LogIndex => natural(value, 'log index') as LogIndex
export const writeNumber = (value: number): WriteNumber => natural(value, 'write number') as WriteNumber
export const groupId = (value: number): GroupId => natural(value, 'group id') as GroupId
export const requestId = (value: number): RequestId => natural(value, 'request id') as RequestId
export const serverRequestId = (value: number): ServerRequestId =>
  natural(value, 'server request id') as ServerRequestId

/*
 * Arithmetic on log indexes. Nothing is checked: the arguments are indexes already, so the results are integers; that none
 * falls below 0 is the caller's to know.
 */

/** The index behind `index`. */
export const indexAfter = (index: LogIndex): LogIndex => (index + 1) as LogIndex
/** The index before `index`, which is at least 1. */
export const indexBefore = (index: LogIndex): LogIndex => (index - 1) as LogIndex
/** The index `count` places behind `index`; before it when `count` is negative. `count` is an integer ≥ −`index`. */
export const indexPlus = (index: LogIndex, count: number): LogIndex => (index + count) as LogIndex
/** The lower of two indexes. */
export const minIndex = (left: LogIndex, right: LogIndex): LogIndex => (left < right ? left : right)
/** The higher of two indexes. */
export const maxIndex = (left: LogIndex, right: LogIndex): LogIndex => (left > right ? left : right)

/** Casts a text that is known to name a node; `isNodeId` checks input from outside. */
export const nodeId = (value: string): NodeId => {
  assert(isNodeId(value), 'a node id is 1–63 of a-z 0-9 -', { value })
  return value as NodeId
}

/** Whether a text from outside can name a node: 1–63 of `a-z 0-9 -`. */
export const isNodeId = (value: string): value is NodeId => /^[a-z0-9-]{1,63}$/.test(value)

/** A name for the disk that had this node's id before the one that is meant; no node can have it (`isNodeId`). */
export const otherDisk = (id: NodeId): NodeId => `${id}'` as NodeId

/** Builds the text form of a session id. */
export const sessionId = (group: number, incarnation: number, index: number): SessionId =>
  `${group}/${incarnation}/${index}` as SessionId

/** The three numbers of a session id's text form, or null when the text is not one. */
export function parseSessionId(text: string): { group: number; incarnation: number; index: number } | null {
  const match = /^(\d{1,10})\/(\d{1,10})\/(\d{1,16})$/.exec(text)
  if (match === null) return null
  const group = Number(match[1])
  const incarnation = Number(match[2])
  const index = Number(match[3])
  if (group > 0xffffffff || incarnation > 0xffffffff || !Number.isSafeInteger(index)) return null
  return { group, incarnation, index }
}

/** The three numbers of a session id that this product made. */
export function numbersOf(id: SessionId): { group: number; incarnation: number; index: number } {
  const numbers = parseSessionId(id)
  assert(numbers !== null, 'a session id of the state machine is well-formed', { id })
  return numbers
}

function natural(value: number, what: string): number {
  assert(Number.isSafeInteger(value) && value >= 0, `a ${what} is an integer from 0 to 2^53-1`, { value })
  return value
}
