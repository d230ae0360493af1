/** Longest joined message, bytes: what is longer already goes alone. Below every bound on a gRPC message. */
const JOINED_BYTES_MAX = 1024 * 1024

interface Waiting {
  readonly message: Buffer
  readonly written: () => void
}

/**
 * Puts messages (wrapped frames) on one gRPC stream. grpc-js, whose streams a server writes to, hands the next message to
 * HTTP/2 only when the socket has taken the one before, once per event-loop turn; a busy process that says more per turn
 * than one message (entries, a commit index, a heartbeat) would fall behind for ever. So what is said while a message is
 * under way is joined into the next one: messages of a field may follow each other in any number (wire.md §1, step 2).
 * Streams that are dialled are written to in the same way: one message of many frames costs less than many.
 */
export class JoiningWriter {
  private readonly put: (message: Buffer, written: () => void) => void
  private waiting: Waiting[] = []
  private busy = false

  /** `put` puts one message on the stream and calls back when the socket has taken it. */
  constructor(put: (message: Buffer, written: () => void) => void) {
    this.put = put
  }

  /** Calls back when the socket has taken it. */
  write(message: Buffer, written: () => void): void {
    this.waiting.push({ message, written })
    if (!this.busy) this.next()
  }

  /** Puts what waits on the stream at once, behind what is under way: the stream is about to end. */
  flush(): void {
    while (this.waiting.length > 0) this.next()
  }

  private next(): void {
    const taken = this.take()
    if (taken.length === 0) return
    const [first] = taken
    const message =
      taken.length === 1 && first !== undefined ? first.message : Buffer.concat(taken.map((item) => item.message))
    this.busy = true
    this.put(message, () => {
      this.busy = false
      for (const { written } of taken) written()
      if (!this.busy) this.next()
    })
  }

  /** The oldest message, and those after it that fit. */
  private take(): readonly Waiting[] {
    const { waiting } = this
    let bytes = 0
    let count = 0
    for (const { message } of waiting) {
      bytes += message.length
      if (count > 0 && bytes > JOINED_BYTES_MAX) break
      count += 1
    }
    if (count === waiting.length) {
      this.waiting = []
      return waiting
    }
    return waiting.splice(0, count)
  }
}
