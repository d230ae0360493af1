import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { NodeId } from '../base/brand.ts'
import { dialStream } from '../grpc/dial-stream.ts'
import type { DialledStream } from '../grpc/dialled-stream.ts'
import type { Clock, Timer } from '../node/ports/clock.ts'
import type { AnswerSnapshot, SnapshotRequest } from '../node/ports/snapshot-transfer.ts'
import { unwrapFrames, wrapFrame } from '../protocol/frame-message.ts'
import { AcceptedFrames } from './accepted-frames.ts'
import { checkEnvelope, type PeerIdentity, type PeerRefusal } from './envelope.ts'
import { PULL_STREAM_PATH } from './peer-service.ts'
import {
  decodeSnapshotAnswer,
  decodeSnapshotRequest,
  encodeSnapshotAnswer,
  encodeSnapshotRequest,
} from './snapshot-frame.ts'

/** A part is about 256 KiB; one row of any size goes alone. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024
/** What a member may have under way to this node, bytes: a few parts. */
const WINDOW_BYTES = 4 * 1024 * 1024
/** A stream on which nothing was asked, or no answer came, for so long is closed: the next request dials anew. */
const IDLE_MS = 30_000

interface Pulling {
  readonly stream: DialledStream
  /** Who waits for the answer to the newest request. */
  waiting: AnswerSnapshot | null
  timer: Timer | null
}

/**
 * The pulling half: a stream of its own to each member that is asked, dialled when it is first needed, so that a snapshot and
 * Raft's messages never wait for each other. The follower is the gRPC client: its window is the one that can be set.
 */
export class SnapshotPuller {
  private readonly clock: Clock
  private readonly pulling = new Map<NodeId, Pulling>()

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** Asks the member at that address. Of several requests on their way to one member, the newest alone is answered. */
  pull(address: string, request: SnapshotRequest, done: AnswerSnapshot): void {
    const pulling = this.pulling.get(request.recipient) ?? this.dial(request.recipient, address)
    // Asking again is no sign of life of the member.
    if (pulling.waiting === null) this.watch(request.recipient, pulling)
    pulling.waiting = done
    pulling.stream.write(wrapFrame(encodeSnapshotRequest(request)), () => undefined)
  }

  close(): void {
    for (const member of [...this.pulling.keys()]) this.end(member)
  }

  private dial(member: NodeId, address: string): Pulling {
    const stream = dialStream(
      { address, path: PULL_STREAM_PATH, direct: true, messageBytesMax: ANSWER_BYTES_MAX, windowBytes: WINDOW_BYTES },
      {
        onOpen: () => undefined,
        onMessage: (message) => {
          for (const frame of unwrapFrames(message) ?? []) this.answered(pulling, frame)
        },
        onEnd: () => {
          if (this.pulling.get(member) === pulling) this.pulling.delete(member)
          pulling.timer?.cancel()
          told(pulling, null)
        },
      },
    )
    const pulling: Pulling = { stream, waiting: null, timer: null }
    this.pulling.set(member, pulling)
    return pulling
  }

  private answered(pulling: Pulling, frame: Buffer): void {
    const answer = decodeSnapshotAnswer(frame)
    told(pulling, answer.ok ? answer.value : null)
  }

  private watch(member: NodeId, pulling: Pulling): void {
    pulling.timer?.cancel()
    pulling.timer = this.clock.setTimer(IDLE_MS, () => this.end(member))
  }

  private end(member: NodeId): void {
    const pulling = this.pulling.get(member)
    this.pulling.delete(member)
    pulling?.timer?.cancel()
    pulling?.stream.cancel()
  }
}

function told(pulling: Pulling, answer: Parameters<AnswerSnapshot>[0]): void {
  const { waiting } = pulling
  pulling.waiting = null
  waiting?.(answer)
}

/** The giving half: one answer to each request of a stream, whose envelope is verified as that of a peer frame. */
export function acceptPull(
  call: ServerDuplexStream<Buffer, Buffer>,
  self: PeerIdentity,
  listener: { onPull(request: SnapshotRequest, answer: AnswerSnapshot): void; onRefused(refusal: PeerRefusal): void },
): void {
  const frames = new AcceptedFrames(call, (refusal) => listener.onRefused(refusal))
  frames.read((bytes) => {
    const request = decodeSnapshotRequest(bytes)
    if (!request.ok) return frames.refuse(request.error)
    const refusal = checkEnvelope(self, request.value)
    if (refusal !== null) return frames.refuse(refusal)
    listener.onPull(request.value, (answer) => {
      if (!frames.ended) call.write(wrapFrame(encodeSnapshotAnswer(answer)))
    })
  })
}
