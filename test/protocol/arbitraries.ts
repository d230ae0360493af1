import fc from 'fast-check'
import type { DownMessage } from '../../src/protocol/down-message.ts'
import type { UpMessage } from '../../src/protocol/up-frame.ts'

const uint = fc.oneof(
  fc.nat(),
  fc.maxSafeNat(),
  fc.constantFrom(0, 127, 128, 2 ** 28 - 1, 2 ** 28, Number.MAX_SAFE_INTEGER),
)
const uint32 = fc.integer({ min: 0, max: 0xffffffff })
const channel = uint32
const name = fc.oneof(fc.constantFrom('counter', 'increment', 'é', ''), fc.string({ maxLength: 30 }))
const text = fc.oneof(fc.string({ maxLength: 90 }), fc.string({ unit: 'grapheme', maxLength: 60 }))
const blob = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes))
const kind = <Kind extends string>(value: Kind) => fc.constant(value)

export const upMessage: fc.Arbitrary<UpMessage> = fc.oneof(
  fc.record({
    kind: kind('request'),
    channel,
    requestId: uint,
    lowestPendingRequestId: uint,
    ackServerRequests: uint,
    machine: name,
    command: name,
    input: blob(300),
  }),
  fc.record({ kind: kind('ack'), channel, serverRequestId: uint }),
  fc.record({ kind: kind('ping'), channel }),
  fc.record({ kind: kind('close'), channel }),
  fc.record({
    kind: kind('subscribe'),
    channel,
    subscriptionId: uint,
    incarnation: uint,
    minIndex: uint,
    machine: name,
    query: name,
    input: blob(60),
  }),
  fc.record({ kind: kind('unsubscribe'), channel, subscriptionId: uint }),
  fc.record({
    kind: fc.constantFrom('query' as const, 'boundQuery' as const),
    channel,
    correlationId: uint,
    incarnation: uint,
    minIndex: uint,
    machine: name,
    query: name,
    input: blob(60),
    consistency: fc.constantFrom('linearizable' as const, 'sequential' as const, 'stale' as const),
  }),
  fc.record({
    kind: kind('open'),
    channel,
    secret: blob(64),
    principal: text,
    roles: fc.array(name, { maxLength: 5 }),
    capabilities: blob(100),
    name: text,
    timeoutMs: uint,
    validUntil: uint,
    ordered: fc.boolean(),
  }),
  fc.record({
    kind: kind('attach'),
    channel,
    group: uint32,
    incarnation: uint32,
    index: uint,
    secret: blob(64),
    replaces: uint,
    nonce: blob(16),
  }),
)

const flags = { index: uint, replayed: fc.boolean(), invalidAck: fc.boolean() }
const answer = fc.oneof(
  fc.record({ kind: kind('ok'), ...flags, value: blob(200) }),
  fc.record({ kind: kind('rejected'), ...flags, code: name, details: blob(50) }),
  fc.record({ kind: kind('refused'), index: uint, code: name, details: blob(50) }),
  fc.record({ kind: kind('notExecuted'), code: name, details: blob(50) }),
  fc.record({ kind: kind('unknown'), code: name }),
)
const queryAnswer = fc.oneof(
  fc.record({ kind: kind('ok'), value: blob(100) }),
  fc.record({ kind: fc.constantFrom('rejected' as const, 'refused' as const), code: name, details: blob(30) }),
)

export const downMessage: fc.Arbitrary<DownMessage> = fc.oneof(
  fc.record({ kind: kind('response'), channel, requestId: uint, answer }),
  fc.record({
    kind: kind('serverRequest'),
    channel,
    serverRequestId: uint,
    previousId: uint,
    attempt: uint,
    index: uint,
    now: uint,
    type: name,
    payload: blob(100),
  }),
  fc.record({
    kind: kind('greeting'),
    clusterId: text,
    group: uint32,
    incarnation: uint32,
    node: name,
    leader: name,
    leaderAddress: text,
    now: uint,
    commandBytesMax: uint,
    windowRequests: uint,
    credit: uint,
  }),
  fc.record({ kind: kind('queryResult'), correlationId: uint, index: uint, incarnation: uint, answer: queryAnswer }),
  fc.record({ kind: kind('opened'), channel, group: uint32, incarnation: uint32, index: uint, existing: fc.boolean() }),
  fc.record({ kind: kind('attached'), channel, epoch: uint, nextRequestId: uint, acknowledged: uint, timeoutMs: uint }),
  fc.record({ kind: kind('acknowledged'), channel, upTo: uint }),
  fc.record({ kind: kind('pong'), channel }),
  fc.record({ kind: kind('closed'), channel }),
  fc.record({ kind: kind('superseded'), channel }),
  fc.record({ kind: kind('ended'), channel, reason: fc.constantFrom('expired' as const, 'closed' as const) }),
  fc.record({
    kind: kind('refused'),
    channel,
    subject: fc.constantFrom('open' as const, 'attach' as const, 'ack' as const, 'ping' as const, 'close' as const),
    code: name,
    details: blob(40),
  }),
  fc.record({ kind: kind('leaderChanged'), leader: name, leaderAddress: text }),
  fc.record({ kind: kind('failed'), code: name, message: text }),
  fc.record({ kind: kind('change'), subscriptionId: uint, index: uint, compacted: fc.boolean(), value: blob(100) }),
  fc.record({
    kind: kind('subscriptionEnded'),
    subscriptionId: uint,
    reason: fc.constantFrom('rejected' as const, 'refused' as const),
    code: name,
    details: blob(40),
  }),
)
