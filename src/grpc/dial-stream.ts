import { type ClientDuplexStream, Metadata, type ServiceError } from '@grpc/grpc-js'
import { asIs } from './as-is.ts'
import { JoiningWriter } from './joining-writer.ts'
import { openClient, type ReceiveBounds } from './open-client.ts'

export interface StreamListener {
  /** The server's headers are here: a server answers, not only a listening socket. */
  onOpen(): void
  onMessage(message: Buffer): void
  /** The stream is over: an error, or null for an orderly end by the server. At most once, and not after `end` or `cancel`. */
  onEnd(error: ServiceError | null): void
}

/** One bidirectional stream on a connection of its own. */
export interface DialledStream {
  /** False once it has ended, from either side: nothing is written or heard any more. */
  readonly open: boolean
  /** Puts one message on the stream; `written` follows when the socket has taken it. */
  write(message: Buffer, written: () => void): void
  /** Ends it behind what was written. It is cut when that takes longer than half a second. */
  end(): void
  /** Cuts it at once. */
  cancel(): void
}

/** How long a stream that was ended may take to end. */
const END_GRACE_MS = 500

/** Dials a method of messages that are bytes: the one dial of clients and peers (wire.md §2, step 6). */
export function dialStream(
  target: { readonly address: string; readonly path: string; readonly receive: ReceiveBounds },
  listener: StreamListener,
): DialledStream {
  const client = openClient(target.address, target.receive)
  const call: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(target.path, asIs, asIs, new Metadata())
  let open = true
  /** The call is over, not only this side of it. */
  let dead = false
  const writer = new JoiningWriter((message, written) => {
    if (!dead) call.write(message, written)
  })
  const cancel = (): void => {
    dead = true
    call.cancel()
    client.close()
  }
  const ended = (error: ServiceError | null): void => {
    if (!open) return
    open = false
    dead = true
    client.close()
    listener.onEnd(error)
  }
  call.on('metadata', () => {
    if (open) listener.onOpen()
  })
  call.on('data', (message: Buffer) => {
    if (open) listener.onMessage(message)
  })
  call.on('error', ended)
  call.on('end', () => ended(null))
  return {
    get open() {
      return open
    },
    write: (message, written) => {
      if (open) writer.write(message, written)
    },
    end: () => {
      if (!open) return
      open = false
      writer.flush()
      call.end()
      // The last message is on its way; cancelling now would overtake it.
      call.on('status', () => client.close())
      setTimeout(cancel, END_GRACE_MS).unref()
    },
    cancel: () => {
      if (!open) return
      open = false
      cancel()
    },
  }
}
