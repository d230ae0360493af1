import type { SessionNumbers } from '../../src/codec/entry/payload.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Value } from '../../src/codec/value/value.ts'
import type { ConnectionSink } from '../../src/gateway/connection-sink.ts'
import type { GatewayConnection } from '../../src/gateway/gateway-connection.ts'
import type { GatewayOptions } from '../../src/gateway/gateway-options.ts'
import { SessionGateway } from '../../src/gateway/session-gateway.ts'
import type { OpenMessage, RequestMessage } from '../../src/protocol/up-frame.ts'
import type { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { FakeClock } from '../transport/fake-clock.ts'
import { FakeNode, parserOf } from './fake-node.ts'

/** One down message: its name and what it said. */
export type Heard = readonly [string, ...unknown[]]

/** A sink that remembers. */
export class Recorder implements ConnectionSink {
  heard: Heard[] = []
  /** What the carrier says that it has not sent. */
  unsentBytes = 0
  opened = (...rest: unknown[]): void => void this.heard.push(['opened', ...rest])
  attached = (channel: number, reply: unknown): void => void this.heard.push(['attached', channel, reply])
  responded = (...rest: unknown[]): void => void this.heard.push(['responded', ...rest])
  serverRequest = (channel: number, request: { serverRequestId: number; attempt: number }): void =>
    void this.heard.push(['serverRequest', channel, Number(request.serverRequestId), request.attempt])
  acknowledged = (...rest: unknown[]): void => void this.heard.push(['acknowledged', ...rest])
  pong = (...rest: unknown[]): void => void this.heard.push(['pong', ...rest])
  queried = (...rest: unknown[]): void => void this.heard.push(['queried', ...rest])
  changed = (subscriptionId: number, position: { index: number; compacted: boolean }, value: Uint8Array): void =>
    void this.heard.push([
      position.compacted ? 'compacted' : 'changed',
      subscriptionId,
      position.index,
      sessionCodec.decodeValue(Uint8Array.from(value)),
    ])
  subscriptionEnded = (...rest: unknown[]): void => void this.heard.push(['subscriptionEnded', ...rest])
  closed = (...rest: unknown[]): void => void this.heard.push(['closed', ...rest])
  ended = (...rest: unknown[]): void => void this.heard.push(['ended', ...rest])
  superseded = (...rest: unknown[]): void => void this.heard.push(['superseded', ...rest])
  refused = (...rest: unknown[]): void => void this.heard.push(['refused', ...rest])
  leaderChanged = (...rest: unknown[]): void => void this.heard.push(['leaderChanged', ...rest])
  failed = (...rest: unknown[]): void => void this.heard.push(['failed', ...rest])

  /** What was heard since the last call. */
  take(): Heard[] {
    const { heard } = this
    this.heard = []
    return heard
  }
}

export const SECRET = Buffer.alloc(32, 7)

export interface World {
  readonly node: FakeNode
  readonly gateway: SessionGateway
  readonly clock: FakeClock
  version: number
}

export function worldOf(
  options: {
    limits?: ConstructorParameters<typeof FakeNode>[0]
    machine?: SessionStateMachine
    gateway?: Partial<GatewayOptions>
  } = {},
): World {
  const node = new FakeNode(options.limits, options.machine)
  const clock = new FakeClock()
  const world = { node, clock, version: 1 }
  const gateway = new SessionGateway(node, {
    ...parserOf(() => world.version),
    codec: sessionCodec,
    clock,
    ...options.gateway,
  })
  return Object.assign(world, { gateway })
}

export interface Client {
  readonly connection: GatewayConnection
  readonly recorder: Recorder
}

export function connect(world: World): Client {
  const recorder = new Recorder()
  return { recorder, connection: world.gateway.connect(recorder) }
}

export function openRequest(world: World, overrides: object = {}): OpenMessage {
  return {
    kind: 'open',
    channel: 1,
    secret: SECRET,
    principal: 'user:1',
    roles: [],
    capabilities: sessionCodec.encodeValue({}),
    name: 'test',
    timeoutMs: 30_000,
    validUntil: world.node.now + 120_000,
    ordered: false,
    ...overrides,
  }
}

/** Opens a session and attaches it under channel 1. */
export function attachedClient(
  world: World,
  overrides: Partial<OpenMessage> = {},
): Client & { session: SessionNumbers; epoch: number } {
  const client = connect(world)
  client.connection.receiveOpen(openRequest(world, overrides))
  world.node.run()
  const [name, , session] = client.recorder.take()[0] ?? []
  if (name !== 'opened') throw new Error(`expected opened, heard ${String(name)}`)
  const { secret = SECRET } = overrides
  return attachAgain(world, client, session as SessionNumbers, 0, 1, secret)
}

export function attachAgain(
  world: World,
  client: Client,
  session: SessionNumbers,
  replaces: number,
  nonce = 1,
  secret: Uint8Array = SECRET,
) {
  client.connection.receiveAttach({
    kind: 'attach',
    ...session,
    channel: 1,
    secret,
    replaces,
    nonce: Buffer.alloc(16, nonce),
  })
  world.node.run()
  const heard = client.recorder.take()
  const [name, , reply] = heard[0] ?? []
  if (name !== 'attached') throw new Error(`expected attached, heard ${JSON.stringify(heard)}`)
  return { ...client, session, epoch: (reply as { epoch: number }).epoch, rest: heard.slice(1) }
}

export function command(
  requestId: number,
  name = 'echo',
  input: Value = requestId,
  overrides: Partial<RequestMessage> = {},
): RequestMessage {
  return {
    kind: 'request',
    channel: 1,
    requestId,
    lowestPendingRequestId: requestId,
    ackServerRequests: 0,
    machine: 't',
    command: name,
    input: sessionCodec.encodeValue(input),
    ...overrides,
  }
}
