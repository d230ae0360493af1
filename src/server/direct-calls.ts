import type { Socket } from 'node:net'
import { DirectCall } from '../grpc/direct/direct-call.ts'
import { KEEP_ALIVE } from '../grpc/keep-alive.ts'
import type { ByteHandler } from './byte-streams.ts'

/** Connections that carry the frames of one call each and nothing else, for as long as they are open. */
export class DirectCalls {
  private readonly handlers: ReadonlyMap<string, ByteHandler>
  private readonly bounds: { readonly messageBytesMax: number; readonly openMs: number }
  private readonly calls = new Set<DirectCall>()
  private allOver: (() => void) | null = null
  private closed = false

  /** `handlers` by path; a connection that does not say one of them within `openMs` is closed. */
  constructor(
    handlers: ReadonlyMap<string, ByteHandler>,
    bounds: { readonly messageBytesMax: number; readonly openMs: number },
  ) {
    this.handlers = handlers
    this.bounds = bounds
  }

  /** Serves a connection whose preface has been read; after `close` it is cut. */
  take(socket: Socket): void {
    if (this.closed) return void socket.destroy()
    const call = new DirectCall(socket, {
      ...this.bounds,
      keepAlive: KEEP_ALIVE,
      onCall: (path) => {
        const handler = this.handlers.get(path)
        // As a handler sees it, it is one: the events and calls that handlers of bytes use are those of grpc-js.
        handler?.(call as unknown as Parameters<ByteHandler>[0])
        return handler !== undefined
      },
    })
    this.calls.add(call)
    call.once('cancelled', () => {
      this.calls.delete(call)
      if (this.calls.size === 0) this.allOver?.()
    })
  }

  /**
   * Cuts connections that have not called anything, so that nothing is called from here on; waits for the end of all calls,
   * `graceMs` at most, then cuts what is left.
   */
  async close(graceMs: number): Promise<void> {
    this.closed = true
    for (const call of [...this.calls]) if (!call.opened) call.cut()
    if (this.calls.size === 0) return
    await new Promise<void>((resolve) => {
      const force = setTimeout(() => {
        for (const call of [...this.calls]) call.cut()
      }, graceMs)
      this.allOver = () => {
        clearTimeout(force)
        resolve()
      }
    })
  }
}
