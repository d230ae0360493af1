import { logIndex, numbersOf, term, type SessionId } from '../../base/brand.ts'
import { encodeClientRequest } from '../../codec/entry/client-request.ts'
import { DEFAULT_LIMITS } from '../../codec/entry/default-limits.ts'
import type { Entry, EntryKind } from '../../codec/entry/entry.ts'
import type { Limits, MachineAdvance, PayloadByKind } from '../../codec/entry/payload.ts'
import { encodePayload } from '../../codec/entry/payload-codec.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { identityOf } from '../../machine/define/identity.ts'
import type { Mountable } from '../../machine/index.ts'
import { OWN_MACHINE } from '../../session/own-versions.ts'
import type { Applied, SessionFacts } from '../../session/state-machine.ts'

/** A command with its parsed input, as a leader puts it into the log. */
export interface LoggedCommand {
  readonly machine: string
  readonly command: string
  readonly input: Uint8Array
  readonly version: number
}

/** Who opens a session. */
export interface SessionGiven {
  readonly principal: string
  readonly roles?: readonly string[]
  readonly capabilities?: { readonly [name: string]: Value }
  readonly name?: string
  readonly timeoutMs?: number
}

const SESSION_TIMEOUT_MS = 3_600_000
/** How late an OpenSession may be. */
const OPEN_WITHIN_MS = 60_000

/** What a log begins with. */
export interface LogStart {
  /** The wall clock, ms since the Unix epoch. */
  readonly now: number
  readonly limits: Partial<Limits>
  /** What applies it: each runs at its newest version, as in a new cluster. */
  readonly machines: readonly Mountable[]
}

/**
 * The log of a cluster that never was: makes entries one by one, as a leader would, and hands each to whoever applies it. The
 * first two are the configuration and the limits, as in every log; a third names the versions when one is not the first.
 */
export class EntryLog {
  /** The wall clock of the next entry, ms since the Unix epoch; it may only rise. */
  now: number
  readonly entries: Entry[] = []
  /** Leader time, by which sessions expire. */
  private lease: number
  private readonly requestIds = new Map<SessionId, number>()
  private readonly applyEntry: (entry: Entry, recordBytes: number) => Applied

  constructor(apply: (entry: Entry, recordBytes: number) => Applied, { now, limits, machines }: LogStart) {
    this.applyEntry = apply
    this.now = now
    this.lease = now
    this.payload('Configuration', {
      clusterId: 'test',
      incarnation: 1,
      voters: [],
      learners: [],
      outgoing: [],
      promoting: [],
      removed: [],
    })
    this.payload('Limits', { ...DEFAULT_LIMITS, ...limits })
    const advances = advancesOf(machines)
    if (advances.length > 0) this.payload('AdvanceVersion', { machines: advances })
  }

  open({ principal, roles = [], capabilities = {}, name = '', timeoutMs = SESSION_TIMEOUT_MS }: SessionGiven): Applied {
    return this.payload('OpenSession', {
      // Nobody else has this number: the secret is as good as any.
      secretHash: sessionCodec.sha256(sessionCodec.encodeValue(this.entries.length)),
      principal,
      roles,
      capabilities,
      name,
      timeoutMs,
      validUntil: this.now + OPEN_WITHIN_MS,
      ordered: false,
    })
  }

  /** One command with the next request id of its session, or with the last one once more: a copy on its way. */
  request(session: SessionId, command: LoggedCommand, again = false): Applied {
    const requestId = (this.requestIds.get(session) ?? 0) + (again ? 0 : 1)
    this.requestIds.set(session, requestId)
    return this.entry(
      'ClientRequest',
      encodeClientRequest({
        ...numbersOf(session),
        ...command,
        epoch: 0,
        requestId,
        lowestPendingRequestId: requestId,
        ackServerRequests: 0,
        hashHigh: requestId,
        hashLow: 0,
      }),
    )
  }

  /** Every server request up to that one was handled. */
  acknowledge(session: SessionId, serverRequestId: number): Applied {
    return this.payload('ServerRequestAck', {
      ...numbersOf(session),
      epoch: 0,
      serverRequestId: serverRequestId,
    })
  }

  close(session: SessionId): Applied {
    return this.payload('CloseSession', { ...numbersOf(session), epoch: 0, secretHash: new Uint8Array() })
  }

  /** The session of these facts was not heard of for its timeout: leader time alone passes, not the wall clock's. */
  expire({ info, renewedAtIndex, renewedLease, timeoutMs }: SessionFacts): Applied {
    this.lease = Math.max(this.lease, renewedLease + timeoutMs)
    return this.payload('ExpireSessions', { sessions: [{ ...numbersOf(info.id), renewedAtIndex }] })
  }

  /** What is due for another attempt, by the clock, is sent again. */
  retry(sessions: readonly SessionId[]): Applied {
    return this.payload('RetryServerRequests', { sessions: sessions.map(numbersOf) })
  }

  /** Lets time pass: timers that fall due fire. */
  tick(ms: number): Applied {
    this.now += ms
    this.lease += ms
    return this.entry('Tick', new Uint8Array())
  }

  payload<Kind extends keyof PayloadByKind>(kind: Kind, payload: PayloadByKind[Kind]): Applied {
    return this.entry(kind, encodePayload(kind, payload))
  }

  private entry(kind: EntryKind, payload: Uint8Array): Applied {
    const index = logIndex(this.entries.length + 1)
    const entry: Entry = { kind, index, term: term(1), lease: this.lease, now: this.now, payload }
    this.entries.push(entry)
    return this.applyEntry(entry, payload.length)
  }
}

/**
 * The newest version of each machine and of the session layer, as soon as a machine is beyond the first: a log that names none
 * runs the first of each.
 */
function advancesOf(machines: readonly Mountable[]): MachineAdvance[] {
  const newest = new Map<string, Mountable>()
  for (const machine of machines) {
    const other = newest.get(machine.name)
    if (other === undefined || versionOf(other) < versionOf(machine)) newest.set(machine.name, machine)
  }
  const latest = [...newest.values()]
  // A machine that a log leaves out while it names others does not run.
  return latest.some((machine) => versionOf(machine) > 1) ? [...latest.map(advanceOf), ownAdvance()] : []
}

function ownAdvance(): MachineAdvance {
  const { name, versions } = OWN_MACHINE
  return { machine: name, to: versions.at(-1)?.version ?? 1, schema: '' }
}

const versionOf = ({ version = 1 }: Mountable): number => version

function advanceOf(machine: Mountable): MachineAdvance {
  const { name, version, schema } = identityOf(machine)
  return { machine: name, to: version, schema }
}
