import { isNodeId } from '../../base/brand.ts'
import type { NodeId } from '../../base/brand.ts'
import { COMMAND_INPUT_BYTES_MAX, PACKED_NAME_BYTES_MAX } from './client-request.ts'
import { LIMIT_MS_MAX } from './default-limits.ts'
import {
  CLIENT_NAME_CHARS_MAX,
  NAME_BYTES_MAX,
  PRINCIPAL_CHARS_MAX,
  ROLES_MAX,
  SCHEDULE_NAME_CHARS_MAX,
} from './names.ts'
import type {
  LeasePayload,
  Limits,
  LimitsPayload,
  Member,
  MoveDeadLettersPayload,
  PayloadByKind,
  ScheduleStep,
  SessionNumbers,
  WaitLimits,
} from './payload.ts'
import { boolean, bytes, dictionary, integer, list, object, oneOf, string, uint32 } from './shape.ts'
import type { Shape } from './shape.ts'
import type { Value } from '../value/value.ts'
import { ValueError } from '../value/value-error.ts'
import { decodeValue } from '../value/decode.ts'
import { encodeValue } from '../value/encode.ts'

/**
 * Bytes of the payload of every kind but ClientRequest (packed, client-request.ts) and Noop, Tick and Snapshot (empty):
 * a value, in canonical msgpack, fields in the order of this file. Checks first; throws ValueError.
 */
export function encodePayload<Kind extends keyof PayloadByKind>(kind: Kind, payload: PayloadByKind[Kind]): Uint8Array {
  const form: Form<Kind> = FORMS[kind]
  return encodeValue(form.toValue(form.shape(payload, '')))
}

/** The inverse of `encodePayload`. Throws ValueError for bytes that are not such a payload. Aliases nothing. */
export function decodePayload<Kind extends keyof PayloadByKind>(kind: Kind, payload: Uint8Array): PayloadByKind[Kind] {
  const form: Form<Kind> = FORMS[kind]
  return form.shape(form.fromValue(decodeValue(payload)), '')
}

/** Sessions that one KeepAlive, ExpireSessions or RetryServerRequests entry may name. */
const SESSIONS_PER_ENTRY_MAX = 100_000

/** How a payload becomes a value and back: checked by its shape, which also puts its fields in order. */
interface Form<Kind extends keyof PayloadByKind> {
  readonly shape: Shape<PayloadByKind[Kind]>
  readonly toValue: (payload: PayloadByKind[Kind]) => Value
  readonly fromValue: (value: Value) => unknown
}

const VOTERS_MAX = 64
/** Longest lease, ms: for so long and more a new leader commits nothing. */
export const LEASE_MS_MAX = 60_000
/** Thousandths by which clocks may be wrong at most: beyond, little is left of a lease. */
const LEASE_DRIFT_MAX = 500
/** Disks that a Configuration remembers as removed: of older ones nobody is told that they were. */
export const REMOVED_MAX = 64
/** Machines that one AdvanceVersion entry may name. */
const MACHINES_PER_ENTRY_MAX = 1024
/** Dead letters that one MoveDeadLetters entry may name. */
export const LETTERS_PER_ENTRY_MAX = 1024
/** Steps that one ScheduleNext entry may have, and occurrences that each of them may name. */
const SCHEDULE_STEPS_MAX = 1024
const SCHEDULE_TIMES_MAX = 1024
/** Longest note of an operator, UTF-16 units. */
export const NOTE_CHARS_MAX = 256
const natural = integer()
const positive = integer(1)
const sha256 = bytes(32)
const move: Shape<MoveDeadLettersPayload['move']> = oneOf('redrive', 'discard')
const name = string(PACKED_NAME_BYTES_MAX, /^[!-~]+$/)
/** SHA-256 in hex, or '' for a machine that declares nothing. */
const schema = string(64, /^([0-9a-f]{64})?$/)

const nodeId: Shape<NodeId> = (value, path) => {
  const text = string(63)(value, path)
  if (!isNodeId(text)) throw new ValueError('BAD_BYTES', path, `a payload does not fit: expected a node id at ${path}`)
  return text as NodeId // checked above
}

const member: Shape<Member> = object({ id: nodeId, address: string(512), instanceId: string(64) })
const members = list(member, VOTERS_MAX)

const numbers = { group: uint32, incarnation: uint32, index: natural }
const session: Shape<SessionNumbers> = object(numbers)
const sessions = object({ sessions: list(session, SESSIONS_PER_ENTRY_MAX) })

const duration = integer(0, LIMIT_MS_MAX)

const plainLimits: Shape<Limits> = object({
  windowRequests: integer(1, 0xffffffff),
  cachedResponsesMax: positive,
  cachedBytesMax: positive,
  commandBytesMax: integer(1, COMMAND_INPUT_BYTES_MAX),
  responseBytesMax: positive,
  outboxCountMax: positive,
  outboxBytesMax: positive,
  sessionsMax: positive,
  sessionTimeoutMinMs: duration,
  sessionTimeoutMaxMs: duration,
  tombstoneMs: duration,
  mailboxMax: natural,
  taskLeasesMax: positive,
  taskQueueMs: duration,
  retentionMs: duration,
  ackTimeoutMs: duration,
  ackTimeoutMaxMs: duration,
  attemptsMax: positive,
  snapshotBytes: positive,
})

const waitLimits: Shape<WaitLimits> = object({
  waitersPerKeyMax: positive,
  waitersPerSessionMax: positive,
  signalsPerKeyMax: positive,
  signalRetentionMaxMs: positive,
})

/** Where nothing is said of waits the field is absent, as in every Limits before there were any; such builds refuse it. */
const limits: Shape<Limits> = (value, path) => {
  const { waits, ...plain } = { ...(value as { readonly waits?: unknown }) }
  const checked = plainLimits(plain, path)
  return waits === undefined ? checked : { ...checked, waits: waitLimits(waits, `${path}.waits`) }
}

/** Entry 2 has no `basedOn`, and so the bytes of every build. A build from before there were changes refuses a change. */
const limitsOrChange: Shape<LimitsPayload> = (value, path) => {
  const { basedOn, ...plain } = { ...(value as { readonly basedOn?: unknown }) }
  const checked = limits(plain, path)
  return basedOn === undefined ? checked : { ...checked, basedOn: natural(basedOn, `${path}.basedOn`) }
}

const scheduleStep: Shape<ScheduleStep> = object({
  machine: string(NAME_BYTES_MAX),
  name: string(SCHEDULE_NAME_CHARS_MAX),
  kind: oneOf('next', 'fill', 'owed', 'pause', 'resume', 'cancel', 'backfill', 'end'),
  revision: natural,
  after: natural,
  upTo: natural,
  missed: natural,
  times: list(natural, SCHEDULE_TIMES_MAX),
  stop: oneOf('', 'badCron', 'unknownZone', 'never'),
})

const openSession: Shape<PayloadByKind['OpenSession']> = object({
  secretHash: sha256,
  principal: string(PRINCIPAL_CHARS_MAX),
  roles: list(string(NAME_BYTES_MAX), ROLES_MAX),
  capabilities: dictionary,
  name: string(CLIENT_NAME_CHARS_MAX),
  timeoutMs: duration,
  validUntil: natural,
  ordered: boolean,
})

/**
 * What only a change of the membership needs is left out where there is none: the bytes are then those of every Configuration
 * before there were changes, and builds of that time read them.
 */
function withoutEmptyChange(payload: PayloadByKind['Configuration']): Value {
  const { outgoing, promoting, removed, ...plain } = payload
  const value: { [name: string]: unknown } = plain
  for (const [name, list] of Object.entries({ outgoing, promoting, removed })) if (list.length > 0) value[name] = list
  return value as Value // its shape was checked
}

const leaseTerms: Shape<LeasePayload> = object({
  ms: integer(1, LEASE_MS_MAX),
  driftPermille: integer(0, LEASE_DRIFT_MAX),
})
const configuration = object({
  clusterId: string(64),
  incarnation: uint32,
  voters: members,
  learners: members,
  outgoing: members,
  promoting: list(nodeId, VOTERS_MAX),
  removed: list(object({ id: nodeId, instanceId: string(64) }), REMOVED_MAX),
})

/** Without leases the field is absent, as in every Configuration before there were any. A build of that time refuses it. */
const configurationWithLease: Shape<PayloadByKind['Configuration']> = (value, path) => {
  const { lease, ...plain } = { ...(value as { readonly lease?: unknown }) }
  const checked = configuration(plain, path)
  return lease === undefined ? checked : { ...checked, lease: leaseTerms(lease, `${path}.lease`) }
}

const FORMS: { readonly [Kind in keyof PayloadByKind]: Form<Kind> } = {
  Configuration: {
    shape: configurationWithLease,
    toValue: withoutEmptyChange,
    fromValue: (value) => ({ outgoing: [], promoting: [], removed: [], ...(value as object) }),
  },
  Limits: asIs(limitsOrChange),
  OpenSession: asIs(openSession),
  AttachSession: asIs(object({ ...numbers, secretHash: sha256, replaces: natural, nonce: bytes(16) })),
  ServerRequestAck: asIs(object({ ...numbers, epoch: natural, serverRequestId: natural })),
  KeepAlive: { shape: sessions, toValue: flatten, fromValue: unflatten },
  RetryServerRequests: { shape: sessions, toValue: flatten, fromValue: unflatten },
  ExpireSessions: {
    shape: object({ sessions: list(object({ ...numbers, renewedAtIndex: natural }), SESSIONS_PER_ENTRY_MAX) }),
    toValue: (payload) =>
      payload.sessions.flatMap((entry) => [entry.group, entry.incarnation, entry.index, entry.renewedAtIndex]),
    fromValue: (value) => ({
      sessions: groupsOf(4, value).map(([group, incarnation, index, renewedAtIndex]) => ({
        group,
        incarnation,
        index,
        renewedAtIndex,
      })),
    }),
  },
  CloseSession: asIs(object({ ...numbers, epoch: natural, secretHash: bytes(0, 32) })),
  AdvanceVersion: asIs(
    object({ machines: list(object({ machine: name, to: positive, schema }), MACHINES_PER_ENTRY_MAX) }),
  ),
  SkipEntry: asIs(object({ index: natural, part: string(512) })),
  EvictSession: asIs(object({ ...numbers, note: string(NOTE_CHARS_MAX) })),
  MoveDeadLetters: asIs(object({ move, letters: list(positive, LETTERS_PER_ENTRY_MAX) })),
  ScheduleNext: asIs(object({ steps: list(scheduleStep, SCHEDULE_STEPS_MAX) })),
  ForgetSubject: asIs(object({ subject: sha256 })),
}

/** A payload that is stored as the very object. */
function asIs<Kind extends keyof PayloadByKind>(shape: Shape<PayloadByKind[Kind]>): Form<Kind> {
  return {
    shape,
    // Every shape above is made of values; an interface has no index signature.
    toValue: (payload) => payload as unknown as Value,
    fromValue: (value) => value,
  }
}

/** Lists of sessions are one flat array of numbers: 5 to 15 bytes a session instead of 40, and no keys to repeat. */
function flatten(payload: { readonly sessions: readonly SessionNumbers[] }): Value {
  return payload.sessions.flatMap((entry) => [entry.group, entry.incarnation, entry.index])
}

function unflatten(value: Value): unknown {
  return { sessions: groupsOf(3, value).map(([group, incarnation, index]) => ({ group, incarnation, index })) }
}

function groupsOf(size: number, value: Value): Value[][] {
  if (!Array.isArray(value) || value.length % size !== 0) {
    throw new ValueError('BAD_BYTES', '', `a payload does not fit: expected a list of ${size} numbers a session`)
  }
  const groups: Value[][] = []
  for (let index = 0; index < value.length; index += size) groups.push(value.slice(index, index + size))
  return groups
}
