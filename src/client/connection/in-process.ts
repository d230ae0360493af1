import { callback, fieldsOf } from '../check/fields.ts'
import { orThrow } from '../check/invalid-argument.ts'
import { onRejected } from '../check/rejected.ts'
import type { Dial } from './ports.ts'

/** The server's end of one in-process connection: what its client does. A node of this process has it. */
export interface InProcessConnection {
  /** One frame, whole; it is not kept. */
  receiveFrame(frame: Uint8Array): void
  /** The client is gone. */
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
    withMethods(server, ['accept'])
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
    withMethods(connection, ['receiveFrame', 'disconnected'])
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

/** Throws InvalidArgument for what lacks one of them: a dial that throws has failed. */
function withMethods(value: unknown, methods: readonly string[]): void {
  onRejected(value, () => {})
  const fields = fieldsOf(value, 'embedded')
  for (const method of methods) callback(fields[method], `embedded.${method}`)
}
