import { callback } from '../check/fields.ts'
import { orThrow } from '../check/invalid-argument.ts'
import type { Dial } from './ports.ts'

/** The server's end of one in-process connection (gateway/frame-connection.ts has this shape). */
export interface InProcessConnection {
  receiveFrame(frame: Uint8Array): void
  disconnected(): void
}

/** A node in this process, as far as clients see it (gateway/in-process-server.ts makes one). */
export interface InProcessServer {
  accept(listener: { onFrame(frame: Buffer): void; onEnded(code: string, message: string): void }): InProcessConnection
}

/** Dials nodes of this process by endpoint; null: nobody is there. */
export function inProcessDial(find: (endpoint: string) => InProcessServer | null): Dial {
  orThrow('find', () => callback(find, 'find'))
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
        if (open) connection.receiveFrame(frame)
      },
      close: () => {
        if (!open) return
        open = false
        connection.disconnected()
      },
    }
  }
}
