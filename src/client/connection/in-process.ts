import { encodeWalked } from '../../codec/value/encode-walked.ts'
import type { GreetingMessage } from '../../protocol/down-message.ts'
import { FrameConnection, type FramePort } from '../../protocol/frame-connection.ts'
import type { Dial } from './ports.ts'

/** The server's end of one in-process connection. */
export interface InProcessConnection {
  receive(frame: Uint8Array): void
  disconnected(): void
}

/** A node in this process, as far as clients see it. */
export interface InProcessServer {
  accept(listener: { onFrame(frame: Buffer): void; onEnded(code: string, message: string): void }): InProcessConnection
}

/** What a node's gateway offers (gateway/session-gateway.ts has this shape). */
export interface GatewayLike {
  connect(sink: FrameConnection): FramePort
  greeting(): Omit<GreetingMessage, 'kind'>
}

/** A gateway as a server for clients of the same process: the same frames, without sockets. */
export function inProcessServer(
  gateway: GatewayLike,
  defer: (callback: () => void) => void = queueMicrotask,
): InProcessServer {
  return {
    accept: (listener) => {
      const connection = new FrameConnection({
        encodeValue: encodeWalked,
        send: (frame) => listener.onFrame(frame),
        defer,
        end: (code, message) => listener.onEnded(code, message),
      })
      connection.start(gateway.connect(connection), gateway.greeting())
      return connection
    },
  }
}

/** Dials nodes of this process by endpoint; null: nobody is there. */
export function inProcessDial(find: (endpoint: string) => InProcessServer | null): Dial {
  return (endpoint, listener) => {
    const server = find(endpoint)
    if (server === null) {
      listener.onClosed('UNAVAILABLE', `no node at ${endpoint}`)
      return { sendFrame: () => {}, close: () => {} }
    }
    let open = true
    const connection = server.accept({
      onFrame: (frame) => {
        if (open) listener.onFrame(frame)
      },
      onEnded: (code, message) => {
        if (!open) return
        open = false
        listener.onClosed(code, message)
      },
    })
    return {
      sendFrame: (frame) => {
        if (open) connection.receive(frame)
      },
      close: () => {
        if (!open) return
        open = false
        connection.disconnected()
      },
    }
  }
}
