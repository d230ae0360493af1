import { encodeWalked } from '../codec/value/encode-walked.ts'
import { FrameConnection } from './frame-connection.ts'
import type { SessionGateway } from './session-gateway.ts'

/** What a connection within one process hears. */
export interface InProcessListener {
  onFrame(frame: Buffer): void
  /** The server ended it; a code of scope `connection`. At most once. */
  onEnded(code: string, message: string): void
}

/** The server's end of such a connection: what its client does. */
export interface AcceptedConnection {
  /** One frame, whole; it is not kept. */
  receiveFrame(frame: Uint8Array): void
  /** The client is gone. Nothing is told to the listener any more. */
  disconnected(): void
}

/** A listener that may be slow, and says so. */
export interface SlowListener extends InProcessListener {
  /** Bytes that were given to it and are not on their way yet. Absent: none ever. */
  unsentBytes?(): number
}

/** What its connection is told besides. */
export interface SlowConnection extends AcceptedConnection {
  /** Some of what was unsent is on its way. */
  drained(): void
}

/**
 * A gateway as a server for clients of the same process or simulation: the same frames, without sockets. It has the shape
 * that `inProcessDial` of client/connection/in-process.ts looks for.
 *
 * @param defer runs a callback soon, after what is going on.
 */
export function inProcessServer(
  gateway: Pick<SessionGateway, 'connect' | 'greeting'>,
  defer: (callback: () => void) => void = queueMicrotask,
): { accept(listener: SlowListener): SlowConnection } {
  return {
    accept: (listener) => {
      const connection = new FrameConnection(gateway, {
        encodeValue: encodeWalked,
        writeFrame: (frame) => listener.onFrame(frame),
        unsentBytes: () => listener.unsentBytes?.() ?? 0,
        defer,
        end: (code, message) => listener.onEnded(code, message),
      })
      connection.start()
      return connection
    },
  }
}
