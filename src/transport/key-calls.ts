import type { ServerDuplexStream } from '@grpc/grpc-js'
import type { NodeId } from '../base/brand.ts'
import { failure, type Result, success } from '../base/result.ts'
import { crc32 } from '../codec/bytes/crc.ts'
import { dialStream } from '../grpc/dial-stream.ts'
import type { DialledStream } from '../grpc/dialled-stream.ts'
import type { Clock, Timer } from '../node/ports/clock.ts'
import type { PeerEnvelope } from '../node/ports/peer-envelope.ts'
import { ByteReader, ByteWriter, FrameError } from '../protocol/bytes.ts'
import { unwrapFrames, wrapFrame } from '../protocol/frame-message.ts'
import { AcceptedFrames } from './accepted-frames.ts'
import { checkEnvelope, type PeerIdentity, type PeerRefusal, readEnvelope, writeEnvelope } from './envelope.ts'
import type { PeerFrameRefusal } from './peer-frame.ts'
import { KEYS_STREAM_PATH } from './peer-service.ts'

/** First byte of a question and of an answer (docs/format.md, "Keys between nodes"). */
const VERSION = 1
const PREFIX_BYTES = 5
/** Keys of one message take 80 KiB. */
const MESSAGE_BYTES_MAX = 1024 * 1024
const ANSWER_MS = 3_000
/** A stream on which nothing was asked for so long is closed. */
const IDLE_MS = 30_000

/** A question about keys, or its answer: whose, which one, and what is asked. */
interface KeyCall {
  readonly envelope: PeerEnvelope
  /** Of the question, on its stream. */
  readonly number: number
  readonly body: Uint8Array
}

const writer = new ByteWriter(16 * 1024)
const reader = new ByteReader()

/** A question or an answer as a frame. */
function encodeKeyCall({ envelope, number, body }: KeyCall): Buffer {
  writeEnvelope(writer, envelope)
  writer.varint(number)
  const frame = Buffer.concat([Buffer.alloc(PREFIX_BYTES), writer.take(), body])
  frame[0] = VERSION
  frame.writeUInt32BE(crc32(frame, PREFIX_BYTES, frame.length, 0), 1)
  return frame
}

/** The inverse; `body` is its own. Never throws for bad bytes. */
function decodeKeyCall(frame: Buffer): Result<KeyCall, PeerFrameRefusal> {
  if (frame.length < PREFIX_BYTES || frame[0] !== VERSION)
    return failure({ code: 'MALFORMED_FRAME', message: 'no message of version 1 about keys' })
  if (crc32(frame, PREFIX_BYTES, frame.length, 0) !== frame.readUInt32BE(1))
    return failure({ code: 'CORRUPT_FRAME', message: 'the checksum does not match' })
  try {
    reader.reset(frame.subarray(PREFIX_BYTES))
    const envelope = readEnvelope(reader)
    return success({ envelope, number: reader.varint(), body: Uint8Array.from(reader.rest()) })
  } catch (error) {
    if (error instanceof FrameError) return failure({ code: 'MALFORMED_FRAME', message: error.message })
    throw error
  }
}

interface Line {
  readonly address: string
  readonly stream: DialledStream
  readonly waiting: Map<number, (body: Uint8Array | null) => void>
  idle: Timer | null
}

/** The asking half: one stream to each member that is asked, dialled when it is first needed. */
export class KeyCaller {
  private readonly clock: Clock
  private readonly lines = new Map<NodeId, Line>()
  private last = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** The member's answer; null: it gave none in time, or is not reached. */
  ask(address: string, envelope: PeerEnvelope, body: Uint8Array): Promise<Uint8Array | null> {
    return new Promise((resolve) => {
      const line = this.lineTo(envelope.recipient, address)
      this.last += 1
      const number = this.last
      const done = (answer: Uint8Array | null): void => {
        timer.cancel()
        line.waiting.delete(number)
        resolve(answer)
      }
      const timer = this.clock.setTimer(ANSWER_MS, () => {
        // Whoever says nothing may be gone without a word: the next question dials anew.
        this.end(envelope.recipient, line)
        done(null)
      })
      line.waiting.set(number, done)
      this.rest(envelope.recipient, line)
      line.stream.write(wrapFrame(encodeKeyCall({ envelope, number, body })), () => undefined)
    })
  }

  close(): void {
    for (const [member, line] of [...this.lines]) this.end(member, line)
  }

  private lineTo(member: NodeId, address: string): Line {
    const known = this.lines.get(member)
    if (known?.address === address) return known
    if (known !== undefined) this.end(member, known)
    const stream = dialStream(
      { address, path: KEYS_STREAM_PATH, direct: true, messageBytesMax: MESSAGE_BYTES_MAX },
      {
        onOpen: () => undefined,
        onMessage: (message) => {
          for (const frame of unwrapFrames(message) ?? []) {
            const answer = decodeKeyCall(frame)
            if (answer.ok) line.waiting.get(answer.value.number)?.(answer.value.body)
          }
        },
        onEnd: () => this.over(member, line),
      },
    )
    const line: Line = { address, stream, waiting: new Map(), idle: null }
    this.lines.set(member, line)
    return line
  }

  private rest(member: NodeId, line: Line): void {
    line.idle?.cancel()
    line.idle = this.clock.setTimer(IDLE_MS, () => this.end(member, line))
  }

  private end(member: NodeId, line: Line): void {
    line.stream.cancel()
    this.over(member, line)
  }

  private over(member: NodeId, line: Line): void {
    if (this.lines.get(member) === line) this.lines.delete(member)
    line.idle?.cancel()
    for (const done of [...line.waiting.values()]) done(null)
  }
}

/** Answers a member's question; null: not this node, or not now. */
export type AnswerKeys = (sender: PeerEnvelope, body: Uint8Array) => Promise<Uint8Array | null>

/** The answering half: each question of a stream, whose envelope is verified as that of a peer frame. */
export function acceptKeyCalls(
  call: ServerDuplexStream<Buffer, Buffer>,
  self: PeerIdentity,
  listener: { answer: AnswerKeys; onRefused(refusal: PeerRefusal): void },
): void {
  const frames = new AcceptedFrames(call, (refusal) => listener.onRefused(refusal))
  frames.read((bytes) => {
    const question = decodeKeyCall(bytes)
    if (!question.ok) return frames.refuse(question.error)
    const { envelope, number, body } = question.value
    const refusal = checkEnvelope(self, envelope)
    if (refusal !== null) return frames.refuse(refusal)
    const turned = {
      ...envelope,
      sender: envelope.recipient,
      recipient: envelope.sender,
      senderInstance: self.instance,
      recipientInstance: envelope.senderInstance,
    }
    const answered = listener.answer(envelope, body).then((answer) => {
      if (answer !== null && !frames.ended)
        call.write(wrapFrame(encodeKeyCall({ envelope: turned, number, body: answer })))
    })
    // Who cannot answer says nothing, like one that is away: whoever asked goes on without.
    answered.catch(() => undefined)
  })
}
