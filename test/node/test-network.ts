import type { NodeId } from '../../src/base/brand.ts'
import type { Clock } from '../../src/node/ports/clock.ts'
import type { PeerFrame, PeerListener, PeerTransport } from '../../src/node/ports/peer-transport.ts'
import type { SnapshotRequest } from '../../src/node/ports/snapshot-transfer.ts'

/** Links between drivers of one test: in order, at once, unless the script says otherwise. */
export class TestNetwork {
  /** Every frame that was sent, delivered or not. */
  readonly sent: PeerFrame[] = []
  /** Changes a frame on its way; null: lost. */
  script: (frame: PeerFrame) => PeerFrame | null = (frame) => frame
  /** Every request for a part of a snapshot that arrived. */
  readonly pulled: SnapshotRequest[] = []
  closed: NodeId[] = []
  /** Addresses that any transport was told to try for a peer, in order. */
  readonly hinted: (readonly [NodeId, string])[] = []
  /** Bytes that every transport says are queued to every peer. */
  queuedBytes = 0
  /** Nodes of a build that says nothing of itself, and takes no such frames. */
  readonly silent = new Set<NodeId>()
  /** Nodes of a build that knows no leases. */
  readonly leaseless = new Set<NodeId>()
  private readonly clock: Clock
  private readonly listeners = new Map<NodeId, PeerListener>()
  private readonly cut = new Set<string>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  transport(self: NodeId, listener: PeerListener): PeerTransport {
    this.listeners.set(self, listener)
    this.clock.defer(() => {
      for (const peer of this.listeners.keys()) {
        if (peer === self || this.listeners.get(self) !== listener) continue
        this.connected(self, peer)
        this.connected(peer, self)
      }
    })
    return {
      send: (frame) => this.carry(self, frame),
      connected: (peer) => this.listeners.has(peer) && !this.cut.has(self) && !this.cut.has(peer),
      queuedBytes: () => this.queuedBytes,
      takesLeases: (peer) => !this.leaseless.has(peer),
      addPeer: () => undefined,
      removePeer: () => undefined,
      pull: (from, request, done) =>
        this.clock.defer(() => {
          if (this.cut.has(self) || this.cut.has(from)) return
          this.pulled.push(request)
          this.listeners.get(from)?.onPull(request, (answer) => this.clock.defer(() => done(answer)))
        }),
      hint: (peer, address) => void this.hinted.push([peer, address]),
      close: (done) => {
        this.closed.push(self)
        this.detach(self)
        done()
      },
    }
  }

  detach(self: NodeId): void {
    this.listeners.delete(self)
  }

  /** Nothing passes between this node and the others any more. */
  isolate(self: NodeId): void {
    this.cut.add(self)
  }

  heal(): void {
    this.cut.clear()
  }

  private connected(dialler: NodeId, peer: NodeId): void {
    if (this.cut.has(dialler) || this.cut.has(peer)) return
    this.listeners.get(dialler)?.onConnected(peer)
  }

  private carry(from: NodeId, frame: PeerFrame): void {
    if (frame.body.kind === 'build' && (this.silent.has(from) || this.silent.has(frame.recipient))) return
    this.sent.push(frame)
    const carried = this.script(frame)
    if (carried === null) return
    this.clock.defer(() => {
      if (this.cut.has(from) || this.cut.has(frame.recipient)) return
      this.listeners.get(frame.recipient)?.onFrame(carried)
    })
  }
}
