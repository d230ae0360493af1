import type { ServerDuplexStream, UntypedServiceImplementation } from '@grpc/grpc-js'
import type { GroupId, NodeId } from '../base/brand.ts'
import type { Random } from '../base/random.ts'
import type { Clock } from '../node/ports/clock.ts'
import type { PeerFrame, PeerListener, PeerTransport } from '../node/ports/peer-transport.ts'
import type { AnswerSnapshot, SnapshotRequest } from '../node/ports/snapshot-transfer.ts'
import { FRAME_MESSAGE_HEADROOM, wrapInPlace } from '../protocol/frame-message.ts'
import { acceptPeer, REMOVED } from './peer-acceptor.ts'
import { type DialPeer, peerDial } from './peer-connection.ts'
import { acceptKeyCalls, type AnswerKeys, KeyCaller } from './key-calls.ts'
import { acceptPull, SnapshotPuller } from './snapshot-puller.ts'
import { encodePeerFrame } from './peer-frame.ts'
import { PeerLink } from './peer-link.ts'
import { frameKindOf, takesLeases } from './peer-message.ts'

export interface PeerTransportOptions {
  readonly identity: {
    readonly clusterId: string
    readonly group: GroupId
    readonly id: NodeId
    readonly instance: string
  }
  /** Addresses (host:port) of the other nodes; more may come by `setAddress`. */
  readonly peers: ReadonlyMap<NodeId, string>
  readonly clock: Clock
  readonly random: Random
  /** Cap of the reconnect backoff and, twice, the connect watchdog. Default 600 ms. */
  readonly electionTimeoutMs?: number
  /** Bytes towards one peer that may wait for its socket. Default 32 MiB: twice Raft's own in-flight bound. */
  readonly windowBytes?: number
  /** For tests; default gRPC. */
  readonly dial?: DialPeer
  /** One line per change of a connection, for the log. */
  readonly note?: (event: { readonly peer: NodeId | null; readonly event: string; readonly message: string }) => void
}

const WINDOW_BYTES = 32 * 1024 * 1024
const ELECTION_TIMEOUT_MS = 600

/**
 * `PeerTransport` over gRPC: every node dials every other one and sends on the stream it dialled. The receiving half is
 * `implementation`, to be added to the node's gRPC server under `peerServiceDefinition`.
 */
export class GrpcPeerTransport implements PeerTransport {
  /** Handlers for `server.addService(peerServiceDefinition, …)`. */
  readonly implementation: UntypedServiceImplementation
  private readonly options: PeerTransportOptions
  private readonly links = new Map<NodeId, PeerLink>()
  private readonly puller: SnapshotPuller
  private readonly keys: KeyCaller
  private answerKeys: AnswerKeys | null = null
  private listener: PeerListener | null = null
  private closed = false

  constructor(options: PeerTransportOptions) {
    this.options = options
    this.puller = new SnapshotPuller(options.clock)
    this.keys = new KeyCaller(options.clock)
    this.implementation = {
      Stream: (call: ServerDuplexStream<Buffer, Buffer>) => this.accept(call),
      Pull: (call: ServerDuplexStream<Buffer, Buffer>) => this.acceptPull(call),
      Keys: (call: ServerDuplexStream<Buffer, Buffer>) => this.acceptKeys(call),
    }
    for (const [peer, address] of options.peers) this.setAddress(peer, address)
  }

  /**
   * Frames that arrive before this are dropped. A node opens its log while its links connect already: it is told of each that
   * is open in a turn of its own, for what it says of itself is said once on each. Else a node whose log took longer to open
   * than its peers to answer would never tell them its address and build.
   */
  listen(listener: PeerListener): void {
    this.listener = listener
    this.options.clock.defer(() => {
      for (const [peer, { connected }] of this.links) if (connected) this.toldOpen(peer)
    })
  }

  /** Adds a peer or moves it; this node's own id is ignored. */
  setAddress(peer: NodeId, address: string): void {
    if (peer === this.options.identity.id || this.closed) return
    const known = this.links.get(peer)
    if (known !== undefined) known.setAddress(address)
    else this.links.set(peer, this.link(peer, address))
  }

  /** Tried in turn with the peer's configured address while nobody takes its frames; without effect for an unknown peer. */
  hint(peer: NodeId, address: string): void {
    this.links.get(peer)?.hint(address)
  }

  addPeer(peer: NodeId, address: string): void {
    if (!this.links.has(peer)) this.setAddress(peer, address)
  }

  removePeer(peer: NodeId): void {
    this.links.get(peer)?.close()
    this.links.delete(peer)
  }

  send(frame: PeerFrame): void {
    const link = this.links.get(frame.recipient)
    if (link === undefined || !link.connected || frameKindOf(frame.body) > link.kindMax) return
    const message = wrapInPlace(encodePeerFrame(frame, FRAME_MESSAGE_HEADROOM))
    link.write(message, frame.body.kind === 'raft' && frame.body.records.length > 0)
  }

  pull(from: NodeId, request: SnapshotRequest, done: AnswerSnapshot): void {
    const link = this.links.get(from)
    if (link !== undefined && !this.closed) this.puller.pull(link.address, request, done)
  }

  /** Asks a member about keys; `instance`: of its disk. Null: it is not reached, or gives no answer in time. */
  async askKeys(peer: NodeId, instance: string, body: Uint8Array): Promise<Uint8Array | null> {
    const link = this.links.get(peer)
    if (link === undefined || this.closed) return null
    const { clusterId, group, id, instance: own } = this.options.identity
    const envelope = { clusterId, group, sender: id, recipient: peer, senderInstance: own, recipientInstance: instance }
    return this.keys.ask(link.address, envelope, body)
  }

  /** From now on questions about keys are answered so; before, none is. */
  onKeys(answer: AnswerKeys): void {
    this.answerKeys = answer
  }

  queuedBytes(to: NodeId): number {
    return this.links.get(to)?.queuedBytes ?? 0
  }

  takesLeases(peer: NodeId): boolean {
    const link = this.links.get(peer)
    return link?.connected === true && takesLeases(link.kindMax)
  }

  connected(to: NodeId): boolean {
    return this.links.get(to)?.connected ?? false
  }

  close(done: () => void): void {
    this.closed = true
    for (const link of this.links.values()) link.close()
    this.links.clear()
    this.puller.close()
    this.keys.close()
    this.listener = null
    done()
  }

  private link(peer: NodeId, address: string): PeerLink {
    const { clock, random } = this.options
    const electionTimeoutMs = this.options.electionTimeoutMs ?? ELECTION_TIMEOUT_MS
    return new PeerLink({
      address,
      clock,
      random,
      dial: this.options.dial ?? peerDial(),
      connectTimeoutMs: electionTimeoutMs * 2,
      backoffMaxMs: electionTimeoutMs,
      windowBytes: this.options.windowBytes ?? WINDOW_BYTES,
      onOpen: (at) => {
        this.options.note?.({ peer, event: 'connected', message: at })
        this.toldOpen(peer)
      },
      onEnd: (end, message) => {
        this.options.note?.({ peer, event: end, message })
        if (end === 'gone') this.listener?.onUnreachable(peer)
        if (end === 'refused' && message.startsWith(`${REMOVED}:`)) this.listener?.onRemoved?.()
      },
    })
  }

  private toldOpen(peer: NodeId): void {
    this.listener?.onConnected(peer)
  }

  private acceptPull(call: ServerDuplexStream<Buffer, Buffer>): void {
    acceptPull(call, this.options.identity, {
      onPull: (request, answer) => {
        if (this.listener === null) answer(null)
        else this.listener.onPull(request, answer)
      },
      onRefused: (refusal) => this.options.note?.({ peer: null, event: refusal.code, message: refusal.message }),
    })
  }

  private acceptKeys(call: ServerDuplexStream<Buffer, Buffer>): void {
    acceptKeyCalls(call, this.options.identity, {
      answer: async (sender, body) => this.answerKeys?.(sender, body) ?? null,
      onRefused: (refusal) => this.options.note?.({ peer: null, event: refusal.code, message: refusal.message }),
    })
  }

  private accept(call: ServerDuplexStream<Buffer, Buffer>): void {
    let heard = false
    acceptPeer(call, this.options.identity, {
      onFrame: (frame) => {
        // Once for each stream: where the way there is cut, every frame would dial anew.
        if (!heard) this.links.get(frame.sender)?.heard()
        heard = true
        this.listener?.onFrame(frame)
      },
      isRemoved: (instance) => this.listener?.isRemoved?.(instance) ?? false,
      onRefused: (refusal) => this.options.note?.({ peer: null, event: refusal.code, message: refusal.message }),
    })
  }
}
