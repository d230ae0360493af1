/** Lines of one kind within one window; what comes beyond them is counted. */
export const LINES_PER_WINDOW = 5
export const WINDOW_MS = 10_000
/** Kinds that are counted apart; further ones share one account. */
const KINDS_MAX = 64
const OTHERS = 'others'

/** Calls `run` once after that time, without keeping the process alive. */
export type Later = (ms: number, run: () => void) => void

/** By a timer of this process. */
export const laterWithoutHolding: Later = (ms, run) => {
  setTimeout(run, ms).unref()
}

/**
 * Keeps what repeats from flooding a log: of each kind the first few lines of a window are let through, the others counted,
 * and the count is told when the window ends.
 */
export class RepeatLimit {
  private readonly windows = new Map<string, { told: number; leftOut: number }>()
  private readonly later: Later
  private readonly tell: (kind: string, leftOut: number) => void

  constructor(later: Later, tell: (kind: string, leftOut: number) => void) {
    this.later = later
    this.tell = tell
  }

  /** True: one more of that kind may be told now. */
  admit(kind: string): boolean {
    const counted = this.windows.has(kind) || this.windows.size < KINDS_MAX ? kind : OTHERS
    const window = this.windows.get(counted) ?? this.open(counted)
    if (window.told < LINES_PER_WINDOW) {
      window.told += 1
      return true
    }
    window.leftOut += 1
    return false
  }

  /** Tells what was left out so far: before the process ends. */
  flush(): void {
    for (const kind of [...this.windows.keys()]) this.close(kind)
  }

  private open(kind: string): { told: number; leftOut: number } {
    const window = { told: 0, leftOut: 0 }
    this.windows.set(kind, window)
    this.later(WINDOW_MS, () => {
      if (this.windows.get(kind) === window) this.close(kind)
    })
    return window
  }

  private close(kind: string): void {
    const { leftOut } = this.windows.get(kind) ?? { leftOut: 0 }
    this.windows.delete(kind)
    if (leftOut > 0) this.tell(kind, leftOut)
  }
}
