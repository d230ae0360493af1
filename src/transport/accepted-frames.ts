import { type ServerDuplexStream, status } from '@grpc/grpc-js'
import { unwrapFrames } from '../protocol/frame-message.ts'
import type { PeerRefusal } from './envelope.ts'

/** A stream that another node dialled, whose frames are read one by one until it ends. */
export class AcceptedFrames {
  /** Nothing is read or answered any more. */
  ended = false
  private readonly call: ServerDuplexStream<Buffer, Buffer>
  private readonly onRefused: (refusal: PeerRefusal) => void

  constructor(call: ServerDuplexStream<Buffer, Buffer>, onRefused: (refusal: PeerRefusal) => void) {
    this.call = call
    this.onRefused = onRefused
  }

  /** Hands over each frame, in order. */
  read(accept: (frame: Buffer) => void): void {
    const { call } = this
    call.on('data', (message: Buffer) => {
      const frames = unwrapFrames(message)
      if (frames === null && !this.ended) {
        this.refuse({ code: 'MALFORMED_FRAME', message: 'the message is no PeerMessage' })
      }
      for (const frame of frames ?? []) if (!this.ended) accept(frame)
    })
    call.on('end', () => {
      if (this.ended) return
      this.ended = true
      call.end()
    })
    const over = (): void => {
      this.ended = true
    }
    call.on('error', over)
    call.on('cancelled', over)
  }

  /** Ends the stream with the code and sentence as its status. */
  refuse(refusal: PeerRefusal): void {
    this.ended = true
    this.onRefused(refusal)
    this.call.emit('error', { code: status.FAILED_PRECONDITION, details: `${refusal.code}: ${refusal.message}` })
  }
}
