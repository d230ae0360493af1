import { dialStream } from './dial-stream.ts'
import type { StreamTarget } from './dialled-stream.ts'
import { endedBy, STATUS, type StreamEnd } from './stream-end.ts'

/** Why a call has no answer: the server's status, or what became of the connection. */
export class CallError extends Error {
  override readonly name = 'CallError'
  /** gRPC's status. */
  readonly code: number
  /** `grpc-status-details-bin` as the server sent it; null: none. */
  readonly details: Buffer | null
  constructor(end: StreamEnd) {
    super(end.message)
    this.code = end.code
    this.details = end.details
  }
}

const ignore = (): void => {}

/** One request and its answer, on a connection of its own. Rejects with CallError; nothing is left behind either way. */
export function callUnary(target: StreamTarget, request: Buffer, deadlineMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | null = null
    const timer = setTimeout(() => {
      stream.cancel()
      reject(new CallError(endedBy(STATUS.deadlineExceeded, `no answer within ${deadlineMs} ms`)))
    }, deadlineMs)
    const stream = dialStream(target, {
      onOpen: ignore,
      onMessage: (message) => {
        answer = message
      },
      onEnd: (end) => {
        clearTimeout(timer)
        if (end === null && answer !== null) resolve(answer)
        else reject(new CallError(end ?? endedBy(STATUS.internal, 'the call ended without an answer')))
      },
    })
    stream.write(request, ignore)
    stream.finish()
  })
}
