import { Random } from '../../src/base/random.ts'
import { sessionCodec } from '../../src/codec/session-codec.ts'
import type { Limits } from '../../src/codec/entry/payload.ts'
import { inProcessDial } from '../../src/client/connection/in-process.ts'
import { MultiSession } from '../../src/client/session/multi-session.ts'
import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import type { Channel, ChannelListener, ClientEnvironment } from '../../src/client/connection/ports.ts'
import type { LeftOut } from '../../src/client/session/received-request.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import type { SessionEvents } from '../../src/client/session/session-events.ts'
import type { SessionSettings } from '../../src/client/session/session-settings.ts'
import type { Value } from '../../src/codec/value/value.ts'
import { inProcessServer } from '../../src/gateway/in-process-server.ts'
import { SessionGateway } from '../../src/gateway/session-gateway.ts'
import type { SessionStateMachine } from '../../src/session/session-state-machine.ts'
import { FRAME_VERSION } from '../../src/protocol/frame.ts'
import { UpFrameReader, type UpMessage } from '../../src/protocol/up-frame.ts'
import type { DownMessage, GreetingMessage, ServerRequestMessage } from '../../src/protocol/down-message.ts'
import { writeDown } from '../../src/protocol/down-frame.ts'
import { ByteWriter } from '../../src/protocol/bytes.ts'
import { FakeNode, parserOf } from '../gateway/fake-node.ts'
import { FakeClock } from '../transport/fake-clock.ts'

export function environmentOn(clock: FakeClock, dial: ClientEnvironment['dial'], seed = 1): ClientEnvironment {
  const random = new Random(seed)
  return {
    dial,
    random,
    clock: {
      nowMs: () => clock.monotonicMs(),
      setTimer: (ms, callback) => clock.setTimer(ms, callback),
      defer: (callback) => clock.defer(callback),
    },
    randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
  }
}

/** One live connection between client and node, whose frames a test may lose and which it may cut. */
export interface Wire {
  readonly endpoint: string
  loseUp: boolean
  loseDown: boolean
  open: boolean
  /** Both ends learn that it is gone. */
  cut(): void
}

/** A node on virtual time behind in-process wires. Entries are applied one virtual turn after they were proposed. */
export class NodeWorld {
  readonly clock = new FakeClock()
  readonly node: FakeNode
  readonly gateway: SessionGateway
  readonly wires: Wire[] = []
  readonly environment: ClientEnvironment
  up = true
  private pending = false
  private appending = false
  private readonly delayMs: () => number

  constructor(
    options: {
      limits?: Partial<Limits>
      seed?: number
      credit?: number
      delayMs?: () => number
      machine?: SessionStateMachine
    } = {},
  ) {
    this.delayMs = options.delayMs ?? (() => 0)
    this.node = new FakeNode(options.limits, options.machine)
    const submit = this.node.submit.bind(this.node)
    const keepAlive = this.node.keepAlive.bind(this.node)
    this.node.submit = (kind, payload, sink) => {
      submit(kind, payload, sink)
      this.soon()
      if (this.appending) return
      this.appending = true
      this.clock.defer(() => {
        this.appending = false
        this.node.appendAll()
      })
    }
    this.node.keepAlive = (session, sink) => {
      keepAlive(session, sink)
      this.soon()
    }
    this.gateway = new SessionGateway(this.node, {
      ...parserOf(() => 1),
      codec: sessionCodec,
      clock: this.clock,
      ...(options.credit === undefined ? {} : { credit: options.credit }),
    })
    const server = inProcessServer(this.gateway, (callback) => this.clock.defer(callback))
    const inner = inProcessDial(() => (this.up ? server : null))
    this.environment = environmentOn(
      this.clock,
      (endpoint, listener) => this.wire(inner, endpoint, listener),
      options.seed,
    )
  }

  get lastWire(): Wire {
    const wire = this.wires.at(-1)
    if (wire === undefined) throw new Error('nobody has dialled')
    return wire
  }

  private soon(): void {
    if (this.pending) return
    this.pending = true
    this.clock.setTimer(this.delayMs(), () => {
      this.pending = false
      this.node.run()
    })
  }

  private wire(dial: ClientEnvironment['dial'], endpoint: string, listener: ChannelListener): Channel {
    const wire: Wire = {
      endpoint,
      loseUp: false,
      loseDown: false,
      open: true,
      cut: () => {
        if (!wire.open) return
        wire.open = false
        channel.close()
        listener.onClosed('UNAVAILABLE', 'cut')
      },
    }
    const channel = dial(endpoint, {
      onFrame: (frame) => {
        if (wire.open && !wire.loseDown) listener.onFrame(frame)
      },
      onClosed: (code, message) => {
        wire.open = false
        listener.onClosed(code, message)
      },
    })
    this.wires.push(wire)
    return {
      sendFrame: (frame) => {
        if (wire.open && !wire.loseUp) channel.sendFrame(frame)
      },
      close: () => {
        wire.open = false
        channel.close()
      },
    }
  }
}

export interface Told {
  ready: number
  readonly refused: string[]
  readonly lost: string[]
  suspended: number
  resumed: number
  readonly requests: ServerRequestMessage[]
  /** What was left out before each of the requests. */
  readonly leftOut: (LeftOut | null)[]
  readonly dones: ((error: unknown) => void)[]
  readonly errors: unknown[]
}

export const SETTINGS: SessionSettings = {
  principal: 'user:1',
  roles: [],
  capabilities: {},
  name: 'test',
  timeoutMs: 30_000,
  ordered: false,
  resume: null,
}

/** A session whose events are written down. Server requests are done at once unless `manual`. */
export function openOn(
  hub: MultiSession,
  settings: Partial<SessionSettings> = {},
  manual = false,
): { core: SessionCore; told: Told } {
  const heard = { requests: [], leftOut: [], dones: [], errors: [] }
  const told: Told = { ready: 0, refused: [], lost: [], suspended: 0, resumed: 0, ...heard }
  const events: SessionEvents = {
    onReady: () => (told.ready += 1),
    onRefused: (code) => told.refused.push(code),
    onLost: (reason) => told.lost.push(reason),
    onSuspended: () => (told.suspended += 1),
    onResumed: () => (told.resumed += 1),
    onHandlerError: (error) => told.errors.push(error),
    onServerRequest: (request, done, leftOut) => {
      told.requests.push(request)
      told.leftOut.push(leftOut)
      if (manual) told.dones.push(done)
      else done(null)
    },
  }
  return { core: hub.openSession({ ...SETTINGS, ...settings }, events), told }
}

/** Runs a command and writes its outcome down, once. */
export function run(
  core: SessionCore,
  name: string,
  input: Value,
  deadlineAt = 0,
): { id: number; outcomes: RawOutcome[] } {
  const outcomes: RawOutcome[] = []
  const id = core.enqueue(
    { machine: 't', command: name, input: sessionCodec.encodeValue(input) },
    deadlineAt,
    (outcome) => outcomes.push(outcome),
  )
  return { id, outcomes }
}

/** A server that says exactly what a test tells it to, on the channel that was dialled last or on the one that is named. */
export class Script {
  readonly clock = new FakeClock()
  readonly environment: ClientEnvironment
  readonly heard: UpMessage[] = []
  readonly dialled: string[] = []
  /** Nobody answers probes: the process is frozen, or the connection carries nothing. */
  frozen = false
  /** Probes that came. */
  probes = 0
  private channels: { readonly endpoint: string; readonly listener: ChannelListener }[] = []
  private listener: ChannelListener | null = null

  constructor() {
    this.environment = environmentOn(this.clock, (endpoint, listener) => {
      this.dialled.push(endpoint)
      this.listener = listener
      this.channels.push({ endpoint, listener })
      const reader = new UpFrameReader()
      return {
        sendFrame: (frame) => {
          const error = reader.read(frame, (message) => this.hear(message, listener))
          if (error !== null) throw new Error(error)
        },
        close: () => {
          if (this.listener === listener) this.listener = null
          this.channels = this.channels.filter((channel) => channel.listener !== listener)
        },
      }
    })
  }

  /** Endpoints of the channels that the library has not released, in the order in which it dialled. */
  get open(): string[] {
    return this.channels.map(({ endpoint }) => endpoint)
  }

  say(...messages: DownMessage[]): void {
    this.listener?.onFrame(frameOf(messages))
    this.clock.advance(0)
  }

  /** Says it on the oldest channel to that endpoint. */
  sayAt(endpoint: string, ...messages: DownMessage[]): void {
    this.channels.find((channel) => channel.endpoint === endpoint)?.listener.onFrame(frameOf(messages))
    this.clock.advance(0)
  }

  /** The oldest channel to that endpoint breaks. */
  cutAt(endpoint: string): void {
    const broken = this.channels.find((channel) => channel.endpoint === endpoint)
    this.channels = this.channels.filter((channel) => channel !== broken)
    broken?.listener.onClosed('UNAVAILABLE', 'cut')
    this.clock.advance(0)
  }

  private hear(message: UpMessage, listener: ChannelListener): void {
    if (message.kind !== 'ping' || message.channel !== 0) {
      this.heard.push(structuredClone(message))
      return
    }
    this.probes += 1
    if (!this.frozen) this.clock.defer(() => listener.onFrame(frameOf([{ kind: 'pong', channel: 0 }])))
  }

  raw(frame: Uint8Array): void {
    this.listener?.onFrame(frame)
  }

  cut(): void {
    const { listener } = this
    this.listener = null
    listener?.onClosed('UNAVAILABLE', 'cut')
  }

  greet(node = 'n1', leader = node, leaderAddress = `${leader}:1`): void {
    this.say(greetingOf(node, leader, leaderAddress))
  }

  /** Greets, opens and attaches what asks for it on channel 1. */
  attach(epoch = 5, nextRequestId = 1, timeoutMs = 30_000): void {
    this.greet()
    if (
      this.heard.some((message) => message.kind === 'open') &&
      !this.heard.some((message) => message.kind === 'attach')
    ) {
      this.say({ kind: 'opened', channel: 1, group: 0, incarnation: 1, index: 4, existing: false })
    }
    this.say({ kind: 'attached', channel: 1, epoch, nextRequestId, acknowledged: 0, timeoutMs })
  }

  /** Up messages of a kind since the last call. */
  take<Kind extends UpMessage['kind']>(kind: Kind): Extract<UpMessage, { kind: Kind }>[] {
    this.clock.advance(0)
    const found = this.heard.filter((message): message is Extract<UpMessage, { kind: Kind }> => message.kind === kind)
    this.heard.length = 0
    return found
  }
}

export function greetingOf(node: string, leader: string, leaderAddress: string): GreetingMessage {
  return {
    kind: 'greeting',
    clusterId: 'c',
    group: 0,
    incarnation: 1,
    node,
    leader,
    leaderAddress,
    now: 1000,
    commandBytesMax: 1000,
    windowRequests: 1024,
    credit: 1024,
  }
}

function frameOf(messages: readonly DownMessage[]): Buffer {
  const writer = new ByteWriter()
  writer.byte(FRAME_VERSION)
  for (const message of messages) writeDown(writer, message)
  return writer.take()
}

export function hubOn(environment: ClientEnvironment, endpoints: readonly string[] = ['n1:1']): MultiSession {
  return new MultiSession({ environment, endpoints })
}
