import { z } from 'zod'
import { assert } from '../../src/base/assert.ts'
import type { SessionId } from '../../src/base/brand.ts'
import { encodeValue } from '../../src/client/index.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { command, defineMachine, mount } from '../../src/machine/index.ts'
import { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { FAMILY } from '../../src/session/rows/row-keys.ts'
import { EntryLog } from '../../src/testing/machine/entry-log.ts'

/** Bytes of rows in a snapshot, key and value, and how many rows one entry changes. */
export interface RowBytes {
  /** All rows of one open session that has sent nothing. */
  readonly session: number
  /** The same by family of rows. */
  readonly sessionRows: { readonly [family: string]: number }
  /** A response of so many bytes that is kept for a repeat, beyond these bytes. */
  readonly cachedResponse: number
  /** A server request that is not acknowledged, beyond its payload. */
  readonly pendingRequest: number
  readonly payloadBytes: number
  /** Rows that one command changes among so many open sessions: what a snapshot writes of it. */
  readonly changedRows: { readonly few: number; readonly many: number; readonly manySessions: number }
}

const NOW = 1_700_000_000_000
const SESSIONS = 1000
const MANY_SESSIONS = 20_000
const PAYLOAD_BYTES = 128

/** Answers with what it is given, and emits it to a session. */
const echo = defineMachine(
  'echo',
  { version: 1, state: {}, requests: { note: z.string() } },
  {
    commands: {
      say: command({ input: z.string(), output: z.string() }, (_ctx, text) => text),
      emit: command({ input: z.string(), output: z.null() }, (ctx, text) => {
        ctx.emit(ctx.session.id, 'note', text)
        return null
      }),
    },
    queries: {},
  },
)

/** By the state machine itself, in this process. */
export function measureRowBytes(): RowBytes {
  const replica = new Replica()
  replica.changes()
  const sessions = replica.open(SESSIONS)
  const opened = replica.changes()
  const text = 'p'.repeat(PAYLOAD_BYTES)
  const payload = encodeValue(text).length
  for (const id of sessions) replica.command(id, 'say', text)
  const responses = bytesOf(replica.changes().filter(({ key }) => key.startsWith(FAMILY.response))) / SESSIONS
  replica.command(sessions[0] as SessionId, 'say', 'few') // there are some
  const few = replica.changes().length
  for (const id of sessions) replica.command(id, 'emit', text)
  const requests = bytesOf(replica.changes().filter(({ key }) => key.startsWith(FAMILY.outbox))) / SESSIONS
  replica.open(MANY_SESSIONS - SESSIONS)
  replica.changes()
  replica.command(sessions[0] as SessionId, 'say', 'many')
  const many = replica.changes().length
  return {
    session: Math.round(bytesOf(opened) / SESSIONS),
    sessionRows: bytesByFamily(opened),
    cachedResponse: Math.round(responses - payload),
    pendingRequest: Math.round(requests - payload),
    payloadBytes: PAYLOAD_BYTES,
    changedRows: { few, many, manySessions: MANY_SESSIONS },
  }
}

interface Row {
  readonly key: string
  readonly value: Value | undefined
}

/** One replica, without a log or a network. */
class Replica {
  private readonly state = new SessionStateMachine(mount([echo], sessionCodec).userMachine, sessionCodec)
  private readonly log = new EntryLog((entry, bytes) => this.state.apply(entry, bytes), {
    now: NOW,
    limits: {},
    machines: [echo],
  })
  private opened = 0

  open(count: number): SessionId[] {
    return Array.from({ length: count }, () => {
      this.opened += 1
      const { reply } = this.log.open({ principal: `user:${this.opened}`, name: 'bench' })
      assert(reply.kind === 'opened', 'the session opens', { reply })
      return reply.sessionId
    })
  }

  command(session: SessionId, name: 'say' | 'emit', text: string): void {
    const request = { machine: 'echo', command: name, input: encodeValue(text), version: 1 }
    const { reply } = this.log.request(session, request)
    assert(reply.kind === 'outcome' && reply.outcome.kind === 'value', 'the command is executed', { reply })
  }

  /** Rows that changed since it was asked last. */
  changes(): Row[] {
    return [...this.state.swapDirty()]
  }
}

/** Of one session: `session/client`, `session/principal`, … */
function bytesByFamily(rows: readonly Row[]): { [family: string]: number } {
  const families = [...new Set(rows.map(({ key }) => familyOf(key)))]
  const bytesIn = (family: string): number => bytesOf(rows.filter(({ key }) => familyOf(key) === family))
  return Object.fromEntries(families.map((family) => [family, Math.round(bytesIn(family) / SESSIONS)]))
}

const familyOf = (key: string): string => key.split('/', 2).join('/')

function bytesOf(rows: readonly Row[]): number {
  return rows.reduce(
    (sum, { key, value }) => sum + (value === undefined ? 0 : key.length + sessionCodec.encodeValue(value).length),
    0,
  )
}
