import { write, writeSync } from 'node:fs'

/** Bytes that may wait for a descriptor that takes none; what is said beyond them is lost. */
export const LINES_WAITING_MAX = 256 * 1024
/** A descriptor that is full now is tried again after this long. */
const RETRY_MS = 100

/**
 * Lines to a file descriptor that must not be able to hurt who writes them: nothing throws, nothing waits, and what waits is
 * bounded. A line that cannot be written (no space, a reader that is gone or does not read) is dropped and counted.
 */
export class LineWriter {
  /** Lines lost so far. */
  dropped = 0
  private readonly fd: number
  private waiting: string[] = []
  /** Of the line under way and of those behind it. */
  private waitingBytes = 0
  /** Of the line under way; 0: none is. */
  private underWayBytes = 0

  constructor(fd: number) {
    this.fd = fd
  }

  /** Takes one line, its newline included. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.waitingBytes + bytes > LINES_WAITING_MAX) {
      this.dropped += 1
      return
    }
    this.waiting.push(line)
    this.waitingBytes += bytes
    if (this.underWayBytes === 0) this.writeNext()
  }

  /** Writes what waits before it returns: for a process that is about to end. */
  flush(): void {
    const { waiting } = this
    this.waiting = []
    this.waitingBytes = this.underWayBytes
    for (const line of waiting) {
      try {
        writeSync(this.fd, line)
      } catch {
        this.dropped += 1
      }
    }
  }

  private writeNext(): void {
    const line = this.waiting.shift()
    if (line === undefined) return
    const bytes = Buffer.from(line)
    this.underWayBytes = bytes.length
    this.writeBytes(bytes)
  }

  private writeBytes(bytes: Buffer): void {
    write(this.fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') {
        setTimeout(() => this.writeBytes(bytes), RETRY_MS).unref()
      } else if (error === null && written < bytes.length) this.writeBytes(bytes.subarray(written))
      else this.done(error)
    })
  }

  private done(error: Error | null): void {
    if (error !== null) this.dropped += 1
    this.waitingBytes -= this.underWayBytes
    this.underWayBytes = 0
    this.writeNext()
  }
}
