import type { DialledStream, StreamListener, StreamTarget } from './dialled-stream.ts'
import { DirectStream } from './direct/direct-stream.ts'
import { Http2Stream } from './http2-stream.ts'

/**
 * Dials a method of messages that are bytes: the one dial of clients and peers (wire.md §2, step 6). It owns its socket
 * from the first packet on: whenever the stream ends, connecting or open, the socket is destroyed and nothing waits for it
 * (docs/decisions/own-dial.md).
 */
export function dialStream(target: StreamTarget, listener: StreamListener): DialledStream {
  return target.direct === true ? new TriedStream(target, listener) : new Http2Stream(target, listener)
}

/** A stream that is dialled directly, and on HTTP/2 at once where the other end does not know that. */
class TriedStream implements DialledStream {
  private stream: DialledStream
  /** What was said before the other end has answered, for whichever end it is; null behind that. */
  private early: ((stream: DialledStream) => void)[] | null = []

  constructor(target: StreamTarget, listener: StreamListener) {
    this.stream = new DirectStream(target, {
      onKnown: () => this.answered(),
      onOpen: (headers) => listener.onOpen(headers),
      onMessage: (message) => listener.onMessage(message),
      onEnd: (end) => listener.onEnd(end),
      onUnknown: () => {
        this.stream = new Http2Stream(target, listener)
        this.answered()
      },
    })
  }

  get open(): boolean {
    return this.stream.open
  }

  write(message: Buffer, written: () => void): void {
    this.say((stream) => stream.write(message, written))
  }

  finish(): void {
    this.say((stream) => stream.finish())
  }

  end(): void {
    // Who has ended it waits for no second try.
    this.answered()
    this.stream.end()
  }

  cancel(): void {
    this.stream.cancel()
  }

  private say(word: (stream: DialledStream) => void): void {
    if (this.early === null) word(this.stream)
    else if (this.open) this.early.push(word)
  }

  private answered(): void {
    const { early } = this
    this.early = null
    for (const word of early ?? []) word(this.stream)
  }
}
