import type { Socket } from 'node:net'
import { beginsDirectly, PREFACE } from '../grpc/direct/preface.ts'

/** Who takes a connection, by its first bytes; what has been read beyond the preface is in the socket again. */
export interface ByFirstBytes {
  /** Its preface has been read. */
  direct(socket: Socket): void
  /** Nothing has been read. */
  http2(socket: Socket): void
}

/** Connections that were just accepted, until it is clear how they begin. */
export class FirstBytes {
  private readonly deadlineMs: number
  private readonly takers: ByFirstBytes
  private readonly undecided = new Set<Socket>()
  private closed = false

  /** A client of either kind speaks first. One that has not done so within `deadlineMs` is closed. */
  constructor(deadlineMs: number, takers: ByFirstBytes) {
    this.deadlineMs = deadlineMs
    this.takers = takers
  }

  /** Reads from a connection until it can be handed over; after `close` it is cut. */
  take(socket: Socket): void {
    if (this.closed) return void socket.destroy()
    this.undecided.add(socket)
    const late = setTimeout(() => socket.destroy(), this.deadlineMs).unref()
    const broken = (): void => void socket.destroy()
    const over = (): void => {
      this.undecided.delete(socket)
      clearTimeout(late)
      socket.off('readable', look).off('error', broken).off('close', over)
    }
    let held: Buffer | null = null
    const look = (): void => {
      const bytes = this.closed ? null : (socket.read() as Buffer | null)
      if (bytes === null) return
      held = held === null ? bytes : Buffer.concat([held, bytes])
      const direct = beginsDirectly(held)
      if (direct === null) return
      over()
      const left = direct ? held.subarray(PREFACE.length) : held
      if (left.length > 0) socket.unshift(left)
      if (direct) this.takers.direct(socket)
      else this.takers.http2(socket)
    }
    socket.on('readable', look).on('error', broken).on('close', over)
  }

  /** Cuts them. */
  close(): void {
    this.closed = true
    for (const socket of this.undecided) socket.destroy()
  }
}
