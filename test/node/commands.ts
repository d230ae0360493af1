import { requestHash } from '../../src/codec/value/running-hash.ts'
import type { OpenSessionPayload, SessionNumbers } from '../../src/codec/entry/payload.ts'
import { encodeClientRequest } from '../../src/codec/entry/client-request.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { Told } from './told.ts'
import type { TestNode } from './test-node.ts'

export const numbersOf = (index: number): SessionNumbers => ({ group: 0, incarnation: 1, index })

export function openPayload(name: string, now: number, overrides: Partial<OpenSessionPayload> = {}): Uint8Array {
  return encodePayload('OpenSession', {
    secretHash: sessionCodec.sha256(new TextEncoder().encode(name)),
    principal: `user:${name}`,
    roles: [],
    capabilities: {},
    name,
    timeoutMs: 30_000,
    validUntil: now + 120_000,
    ordered: false,
    ...overrides,
  })
}

/** Opens a session through the log and returns its index. */
export function openSession(node: TestNode, name = 'a', overrides: Partial<OpenSessionPayload> = {}): number {
  const sink = new Told()
  node.driver.submit('OpenSession', openPayload(name, node.driver.logNow(), overrides), sink)
  node.options.clock.settle()
  if (sink.reply?.kind !== 'opened') throw new Error(`not opened: ${sink.told} ${JSON.stringify(sink.reply)}`)
  return sink.index
}

export function requestPayload(
  session: number,
  requestId: number,
  command = 'increment',
  input: Value = null,
): Uint8Array {
  const bytes = sessionCodec.encodeValue(input)
  const { high, low } = requestHash('test', command, bytes)
  return encodeClientRequest({
    ...numbersOf(session),
    epoch: 0,
    requestId,
    lowestPendingRequestId: 1,
    ackServerRequests: 0,
    hashHigh: high,
    hashLow: low,
    version: 1,
    machine: 'test',
    command,
    input: bytes,
  })
}

/** Submits a command; the turn has not run yet. */
export function submit(
  node: TestNode,
  session: number,
  requestId: number,
  command = 'increment',
  input: Value = null,
): Told {
  const sink = new Told()
  node.driver.submit('ClientRequest', requestPayload(session, requestId, command, input), sink)
  return sink
}

/** The value that an executed command answered with. */
export function resultOf(sink: Told): Value {
  const { reply } = sink
  if (reply?.kind !== 'outcome' || reply.outcome.kind !== 'value')
    throw new Error(`no value: ${sink.told} ${JSON.stringify(reply)}`)
  return reply.outcome.value
}
