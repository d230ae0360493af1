import { performance } from 'node:perf_hooks'
import { withCommas } from './output.ts'

const BAR_CELLS = 30
const REDRAW_MS = 100
const PLAIN_LINE_MS = 2000

/** Where progress is shown; stderr in the command line. */
export interface ProgressTarget {
  readonly isTTY?: boolean | undefined
  write(text: string): unknown
}

/** A bar that redraws itself on a terminal, and a plain line every two seconds elsewhere. */
export class Progress {
  private readonly label: string
  private readonly total: number
  private readonly target: ProgressTarget
  private readonly now: () => number
  private readonly startedAt: number
  private drawnAt: number
  private done = 0

  /** `total` ≥ 0 steps are ahead. */
  constructor(label: string, total: number, target: ProgressTarget = process.stderr, now = () => performance.now()) {
    this.label = label
    this.total = total
    this.target = target
    this.now = now
    this.startedAt = now()
    this.drawnAt = this.startedAt
  }

  /** Sets how many steps are done; draws when it is time to. */
  update(done: number): void {
    this.done = done
    const pause = this.target.isTTY === true ? REDRAW_MS : PLAIN_LINE_MS
    if (this.now() - this.drawnAt >= pause) this.draw()
  }

  /** Draws the last state and leaves the line. */
  finish(): void {
    this.draw()
    if (this.target.isTTY === true) this.target.write('\n')
  }

  private draw(): void {
    this.drawnAt = this.now()
    const text = this.text()
    this.target.write(this.target.isTTY === true ? `\r\u001b[K${text}` : `${text}\n`)
  }

  private text(): string {
    const share = this.total === 0 ? 1 : Math.min(this.done / this.total, 1)
    const seconds = (this.now() - this.startedAt) / 1000
    const rate = seconds > 0 ? Math.round(this.done / seconds) : 0
    const numbers = `${withCommas(this.done)}/${withCommas(this.total)} (${Math.floor(share * 100)} %, ${withCommas(rate)}/s)`
    if (this.target.isTTY !== true) return `${this.label} ${numbers}`
    const filled = Math.round(share * BAR_CELLS)
    return `${this.label} [${'#'.repeat(filled)}${'.'.repeat(BAR_CELLS - filled)}] ${numbers}`
  }
}
