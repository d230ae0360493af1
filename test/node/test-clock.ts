import type { Clock, Timer } from '../../src/node/ports/clock.ts'

/** Callbacks at one moment beyond which a test hangs instead of going on: something submits itself again for ever. */
const CALLBACKS_PER_MOMENT = 100_000

interface Armed {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A clock that moves when told; several processes may share it, each through its own `process()`. */
export class TestClock implements Clock {
  wallOffsetMs = 1_700_000_000_000
  private time = 0
  private order = 0
  private armed: Armed[] = []

  monotonicMs(): number {
    return this.time
  }

  wallMs(): number {
    return this.wallOffsetMs + Math.floor(this.time)
  }

  setTimer(delayMs: number, run: () => void): Timer {
    if (!Number.isFinite(delayMs)) throw new Error(`a timer of ${delayMs} ms: Node's would fire after 1 ms, for ever`)
    const armed = { at: this.time + delayMs, order: this.order, run }
    this.order += 1
    this.armed.push(armed)
    return {
      cancel: () => {
        this.armed = this.armed.filter((other) => other !== armed)
      },
    }
  }

  defer(run: () => void): void {
    this.setTimer(0, run)
  }

  /** Timers and deferred callbacks that wait. */
  get waiting(): number {
    return this.armed.length
  }

  /** Runs what is due within `ms`, in order. */
  advance(ms: number): void {
    const end = this.time + ms
    let atOnce = 0
    for (let next = this.next(end); next !== null; next = this.next(end)) {
      atOnce = next.at > this.time ? 0 : atOnce + 1
      if (atOnce > CALLBACKS_PER_MOMENT) throw new Error(`callbacks without end at ${this.time} ms`)
      this.time = Math.max(this.time, next.at)
      next.run()
    }
    this.time = Math.max(this.time, end)
  }

  /** Runs what is due now. */
  settle(): void {
    this.advance(0)
  }

  /** The process is stopped and resumed: time goes on and no timer fires meanwhile. */
  stall(ms: number): void {
    this.time += ms
  }

  /** The clock of one process, whose callbacks die with it. */
  process(wallOffsetMs = 0): ProcessClock {
    return new ProcessClock(this, wallOffsetMs)
  }

  private next(end: number): Armed | null {
    let first: Armed | null = null
    for (const armed of this.armed) {
      if (armed.at > end) continue
      if (first === null || armed.at < first.at || (armed.at === first.at && armed.order < first.order)) first = armed
    }
    if (first !== null) this.armed = this.armed.filter((other) => other !== first)
    return first
  }
}

export class ProcessClock implements Clock {
  alive = true
  private readonly clock: TestClock
  private readonly wallOffsetMs: number

  constructor(clock: TestClock, wallOffsetMs: number) {
    this.clock = clock
    this.wallOffsetMs = wallOffsetMs
  }

  monotonicMs(): number {
    return this.clock.monotonicMs()
  }

  wallMs(): number {
    return this.clock.wallMs() + this.wallOffsetMs
  }

  setTimer(delayMs: number, run: () => void): Timer {
    return this.clock.setTimer(delayMs, () => {
      if (this.alive) run()
    })
  }

  defer(run: () => void): void {
    this.setTimer(0, run)
  }
}
