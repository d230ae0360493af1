import type { Consistency } from '../../protocol/up-frame.ts'
import type { CommandCall } from '../calls/pending-command.ts'
import type { QueryRequest } from '../calls/query-board.ts'
import { encoded } from './check-input.ts'
import { boolean, callback, fieldsOf, integer, name, refuse, waitMs } from './fields.ts'

/** What is called, as the caller hands it over. */
interface Call {
  readonly machine: unknown
  /** Of the command or query. */
  readonly name: unknown
  readonly input: unknown
  readonly options: unknown
}

/** A command that frame and log can carry, its options read once. */
export interface CheckedCommand {
  readonly machine: string
  readonly command: string
  readonly input: Uint8Array
  readonly deadlineMs: number
  readonly signal: AbortSignal | null
}

/** A query that a frame can carry, its options read once. */
export interface CheckedQuery {
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
  readonly deadlineMs: number
  readonly consistency: Consistency
  /** The command that it comes after; null: none. */
  readonly after: number | null
  /** Refused once its session is gone. */
  readonly sessionBound: boolean
}

/** A query to subscribe to, that a frame can carry. */
export interface CheckedSubscribe {
  readonly machine: string
  readonly query: string
  readonly input: Uint8Array
  readonly bufferBytes: number
}

/** Changes of a subscription that wait for their reader, bytes. */
const BUFFER_BYTES = 1024 * 1024

/** Of a command or query; `deadlineMs` is the default. Throws InvalidArgument, or what a getter of the options throws. */
export function checkCommand(call: Call, deadlineMs: number): CheckedCommand {
  const options = fieldsOf(call.options, 'options')
  return {
    machine: name(call.machine, 'machine'),
    command: name(call.name, 'command'),
    deadlineMs: checkDeadline(options, deadlineMs),
    signal: checkSignal(options['signal']),
    input: encoded(call.input, 'input', 'VALIDATION_ERROR'),
  }
}

/** As `checkCommand`. */
export function checkQuery(call: Call, deadlineMs: number): CheckedQuery {
  const options = fieldsOf(call.options, 'options')
  return {
    machine: name(call.machine, 'machine'),
    query: name(call.name, 'query'),
    deadlineMs: checkDeadline(options, deadlineMs),
    consistency: checkConsistency(options['consistency'] ?? 'linearizable', 'options.consistency'),
    after:
      options['after'] === undefined ? null : integer(options['after'], 'options.after', [1, Number.MAX_SAFE_INTEGER]),
    sessionBound: boolean(options['sessionBound'] ?? false, 'options.sessionBound'),
    input: encoded(call.input, 'input', 'VALIDATION_ERROR'),
  }
}

/** A query to subscribe to, its options read once. Throws as `checkCommand`. */
export function checkSubscribe(call: Call): CheckedSubscribe {
  const options = fieldsOf(call.options, 'options')
  const given = options['bufferBytes']
  return {
    machine: name(call.machine, 'machine'),
    query: name(call.name, 'query'),
    bufferBytes: given === undefined ? BUFFER_BYTES : integer(given, 'options.bufferBytes', [0, 2 ** 31 - 1]),
    input: encoded(call.input, 'input', 'VALIDATION_ERROR'),
  }
}

/** The deadline in the options of a call that has no others. */
export function checkDeadlineOf(options: unknown, deadlineMs: number): number {
  return checkDeadline(fieldsOf(options, 'options'), deadlineMs)
}

/** One of the three. */
function checkConsistency(value: unknown, field: string): Consistency {
  const known = CONSISTENCIES.find((each) => each === value)
  return known ?? refuse(field, `must be one of ${CONSISTENCIES.join(', ')}`, value)
}

/** What is called without promises, its input encoded already: read once into a copy. */
export function checkEncodedCommand({ machine, command, input }: CommandCall, deadlineAt: number): CommandCall {
  if (!Number.isFinite(deadlineAt) || deadlineAt < 0)
    refuse('deadlineAt', 'must be milliseconds, or 0 for none', deadlineAt)
  return { machine: name(machine, 'machine'), command: name(command, 'command'), input: checkBytes(input) }
}

/** The same of a query. */
export function checkEncodedQuery(request: QueryRequest, deadlineMs: number): QueryRequest {
  const { channel = 0, sessionBound = false, consistency, incarnation, minIndex, machine, query, input } = request
  const natural = [0, Number.MAX_SAFE_INTEGER] as const
  waitMs(deadlineMs, 'deadlineMs')
  return {
    channel: integer(channel, 'channel', natural),
    sessionBound: boolean(sessionBound, 'sessionBound'),
    consistency: checkConsistency(consistency, 'consistency'),
    incarnation: integer(incarnation, 'incarnation', natural),
    minIndex: integer(minIndex, 'minIndex', natural),
    machine: name(machine, 'machine'),
    query: name(query, 'query'),
    input: checkBytes(input),
  }
}

function checkBytes(input: unknown): Uint8Array {
  // A proxy of bytes passes the first test and throws at the second.
  return input instanceof Uint8Array && input.length >= 0
    ? input
    : refuse('input', 'must be the bytes of an encoded value', input)
}

const CONSISTENCIES: readonly Consistency[] = ['linearizable', 'sequential', 'stale']

function checkDeadline(options: { readonly [key: string]: unknown }, deadlineMs: number): number {
  const given = options['deadlineMs']
  return given === undefined ? deadlineMs : waitMs(given, 'options.deadlineMs')
}

/** Anything that has the three members that are used: polyfills are no instances of the global class. */
function checkSignal(value: unknown): AbortSignal | null {
  if (value === undefined) return null
  const { aborted, addEventListener, removeEventListener } = fieldsOf(value, 'options.signal')
  boolean(aborted, 'options.signal.aborted')
  callback(addEventListener, 'options.signal.addEventListener')
  callback(removeEventListener, 'options.signal.removeEventListener')
  return value as AbortSignal // as far as it is used
}
