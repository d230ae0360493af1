import { readFileSync } from 'node:fs'

const LOOK_EVERY_MS = 20

/** Resident memory of a process over a while, bytes. */
export class Resident {
  readonly before: number
  peak: number
  private readonly pid: number
  private readonly timer: NodeJS.Timeout

  constructor(pid: number) {
    this.pid = pid
    this.before = residentBytes(pid)
    this.peak = this.before
    this.timer = setInterval(() => {
      this.peak = Math.max(this.peak, residentBytes(this.pid))
    }, LOOK_EVERY_MS)
  }

  /** Looks no more, and gives by how much it grew at most. */
  end(): number {
    clearInterval(this.timer)
    return this.peak - this.before
  }
}

/** 0: the process is gone. */
function residentBytes(pid: number): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kib ?? 0) * 1024
  } catch {
    return 0
  }
}
