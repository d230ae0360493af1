import { isNodeId, type NodeId, nodeId } from '../base/brand.ts'
import { errorText } from '../base/error-text.ts'
import { formatHostPort, type HostPort, parseHostPort } from '../base/host-port.ts'
import { DEFAULT_RAFT } from '../node/options.ts'
import { LOG_LEVELS } from '../protocol/log-level.ts'
import { limitProblems, unknownName } from './limit-problems.ts'
import { isWebhookSecret, WEBHOOK_SECRET_FORM } from '../protocol/webhook-secret.ts'
import type { NodeOptions } from './node-options.ts'
import { type Peer, PeerListError, parsePeers } from './peer-list.ts'
import { invalidOption, StartError } from './start-error.ts'

/** Options that can be used. */
export interface CheckedOptions extends Omit<NodeOptions, 'id' | 'peers' | 'listen' | 'http'> {
  readonly id: NodeId
  /** With `address` in its text form, as the log's Configuration has it. */
  readonly peers: readonly { readonly id: NodeId; readonly address: string }[]
  readonly listen: HostPort
  /** Null: nowhere. */
  readonly http: HostPort | null
}

/**
 * Checks everything before anything is opened, where the caller sees it: `options` with `fixed` over them. Throws StartError
 * `INVALID` that names the field, and nothing else: what reading them throws (a getter, a proxy) is about the options.
 */
export function checkOptions(options: unknown, fixed: (given: object) => Partial<NodeOptions>): CheckedOptions {
  try {
    // An array or a text has members too, and they are no options. What is read twice must not change between.
    if (!isRecord(options)) throw invalidOption('options', 'must be an object')
    return checkRead({ ...options, ...fixed(options) } as NodeOptions)
  } catch (error) {
    if (isStartError(error)) throw error
    throw invalidOption('options', `cannot be read: ${errorText(error)}`)
  }
}

function checkRead(options: NodeOptions): CheckedOptions {
  for (const name of Object.keys(options)) assertKnown(name, CHECKS, 'options')
  for (const [name, check] of Object.entries(CHECKS)) {
    // Each name of CHECKS is one of NodeOptions: the compiler checked it there.
    const problem = check(options[name as keyof NodeOptions])
    if (problem !== null) throw invalidOption(`options.${name}`, problem)
  }
  const peers = peersOf(options.peers)
  const own = peers.find((peer) => peer.id === options.id)
  if (own === undefined) throw invalidOption('options.peers', `does not name the node ${options.id}`)
  checkLimits(options.limits ?? {})
  checkRaft(options.raft ?? {})
  return {
    ...options,
    id: nodeId(options.id),
    peers: peers.map(({ id, address }) => ({ id, address: formatHostPort(address) })),
    // Checked above.
    listen: options.listen === undefined ? own.address : (parseHostPort(options.listen) ?? own.address),
    http: options.http === undefined ? null : parseHostPort(options.http),
  }
}

/** What is wrong with a value, or null. */
type Check = (value: unknown) => string | null

const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined ? null : check(value)
const sentenceUnless =
  (fits: (value: unknown) => boolean, sentence: string): Check =>
  (value) =>
    fits(value) ? null : sentence

const CHECKS: { readonly [Name in keyof Required<NodeOptions>]: Check } = {
  id: sentenceUnless((value) => typeof value === 'string' && isNodeId(value), 'must be a node id: 1–63 of a-z 0-9 -'),
  peers: () => null,
  dataDirectory: sentenceUnless(
    // An empty name, as an unset variable gives it, would be the current directory.
    (value) => typeof value === 'string' && value.trim() !== '' && !value.includes('\0'),
    'must name a directory',
  ),
  clusterId: optional(sentenceUnless((value) => typeof value === 'string' && value !== '', 'must be a text')),
  listen: optional(
    sentenceUnless((value) => typeof value === 'string' && parseHostPort(value) !== null, 'must be host:port'),
  ),
  http: optional(
    sentenceUnless((value) => typeof value === 'string' && parseHostPort(value) !== null, 'must be host:port'),
  ),
  webhookSecret: optional(sentenceUnless(isWebhookSecret, WEBHOOK_SECRET_FORM)),
  machines: optional(
    sentenceUnless(
      (value) => Array.isArray(value) && value.length > 0 && value.every(isMachine),
      'must be an array of at least one machine, made by defineMachine or bare',
    ),
  ),
  limits: optional(sentenceUnless(isRecord, 'must be an object')),
  raft: optional(sentenceUnless(isRecord, 'must be an object')),
  logLevel: optional(
    sentenceUnless((value) => LOG_LEVELS.some((level) => level === value), `must be one of ${LOG_LEVELS.join(', ')}`),
  ),
  diskReserveBytes: optional(
    sentenceUnless(
      (value) => Number.isSafeInteger(value) && Number(value) >= 0,
      'must be a number of bytes, 0 or more',
    ),
  ),
  development: optional(sentenceUnless((value) => typeof value === 'boolean', 'must be true or false')),
  leases: optional(sentenceUnless((value) => typeof value === 'boolean', 'must be true or false')),
  traceSteps: optional(
    sentenceUnless((value) => typeof value === 'string' && value.trim() !== '', 'must name a directory'),
  ),
  insecure: optional(sentenceUnless((value) => typeof value === 'boolean', 'must be true or false')),
  signal: optional(sentenceUnless((value) => value instanceof AbortSignal, 'must be an AbortSignal')),
  onFault: optional(sentenceUnless((value) => typeof value === 'function', 'must be a function')),
}

function isStartError(error: unknown): boolean {
  try {
    return error instanceof StartError
  } catch {
    return false
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isMachine(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false
  return value.kind === 'definition' || value.kind === 'bare'
}

function assertKnown(name: string, known: object, place: string): void {
  if (!Object.hasOwn(known, name)) throw invalidOption(`${place}.${name}`, unknownName(name, Object.keys(known)))
}

function peersOf(list: unknown): Peer[] {
  try {
    return parsePeers(list)
  } catch (error) {
    if (!(error instanceof PeerListError)) throw error
    throw invalidOption(`options.peers${error.member === null ? '' : `.${error.member}`}`, error.message)
  }
}

function checkLimits(limits: object): void {
  const [first] = limitProblems(limits)
  if (first !== undefined) throw invalidOption(`options.limits.${first.name}`, first.problem)
}

function checkRaft(raft: object): void {
  for (const [name, value] of Object.entries(raft)) {
    assertKnown(name, DEFAULT_RAFT, 'options.raft')
    const flag = name === 'preVote' || name === 'checkQuorum'
    const fits = flag ? typeof value === 'boolean' : typeof value === 'number' && value > 0 && Number.isFinite(value)
    if (!fits) throw invalidOption(`options.raft.${name}`, flag ? 'must be true or false' : 'must be a number above 0')
  }
}
