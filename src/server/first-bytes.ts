import type { Socket } from 'node:net'
import { beginsDirectly, PREFACE } from '../grpc/direct/preface.ts'

/** Who takes a connection, by its first bytes; what has been read beyond the preface is in the socket again. */
export interface ByFirstBytes {
  /** Its preface has been read. */
  direct(socket: Socket): void
  /** Nothing has been read. */
  http2(socket: Socket): void
}

/**
 * Reads from a connection that was just accepted until it is clear how it begins, within `deadlineMs`: a client of either kind
 * speaks first. One that does not is closed.
 */
export function byFirstBytes(socket: Socket, deadlineMs: number, takers: ByFirstBytes): void {
  const late = setTimeout(() => socket.destroy(), deadlineMs).unref()
  const broken = (): void => void socket.destroy()
  const over = (): void => {
    clearTimeout(late)
    socket.off('readable', look).off('error', broken).off('close', over).off('end', over)
  }
  let held: Buffer | null = null
  const look = (): void => {
    const bytes = socket.read() as Buffer | null
    if (bytes === null) return
    held = held === null ? bytes : Buffer.concat([held, bytes])
    const direct = beginsDirectly(held)
    if (direct === null) return
    over()
    const left = direct ? held.subarray(PREFACE.length) : held
    if (left.length > 0) socket.unshift(left)
    if (direct) takers.direct(socket)
    else takers.http2(socket)
  }
  socket.on('readable', look).on('error', broken).on('close', over).on('end', over)
}
