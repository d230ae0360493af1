import type { Scheduler } from '../../sim/world/scheduler.ts'

/** Taken when the module is loaded: a test that replaces the process's timers does not stop the world. */
const { setImmediate: soon } = globalThis

/** Somebody waits for the world. */
interface Waiter {
  /** The world runs for it now. */
  drives(): boolean
  /** The world is broken, or was stopped. */
  failed(error: Error): void
}

/**
 * Runs a simulated world for as long as somebody waits for it, and never otherwise. Between two events it lets the code of the
 * test go on whenever a client was told something, so that a continuation finds the world at the moment of its outcome.
 * No real time passes but what the work takes, and the order of events is that of the scheduler alone.
 */
export class VirtualRun {
  private readonly scheduler: Scheduler
  private readonly seed: number
  private readonly waiters = new Set<Waiter>()
  /** Each is asked after every event, and tells whether it has been reached. */
  private readonly goals = new Set<() => boolean>()
  private looping = false
  private clientRan = false
  private broken: Error | null = null

  constructor(scheduler: Scheduler, seed: number) {
    this.scheduler = scheduler
    this.seed = seed
  }

  /** A client was told something: code of the test may want to go on. */
  clientTold(): void {
    this.clientRan = true
  }

  /** The promise as it is; the world runs until it settles, as long as `drives` says so. Rejects when the world breaks. */
  awaited<Result>(promise: Promise<Result>, drives: () => boolean = () => true): Promise<Result> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = { drives, failed: reject }
      const end = (): void => {
        this.waiters.delete(waiter)
      }
      promise.then(end, end)
      promise.then(resolve, reject)
      this.wait(waiter)
    })
  }

  /** Runs the world for `ms`, or until `end` holds after an event, whichever is first; tells whether it held. */
  until(end: () => boolean, ms: number): Promise<boolean> {
    if (end()) return Promise.resolve(true)
    return this.awaited(
      new Promise((resolve, reject) => {
        let late = false
        this.scheduler.after(ms * 1000, () => {
          late = true
        })
        this.goals.add(() => {
          try {
            const held = end()
            if (!held && !late) return false
            resolve(held)
          } catch (error) {
            reject(error)
          }
          return true
        })
      }),
    )
  }

  /** Runs the world for `ms` to the microsecond. */
  async advance(ms: number): Promise<void> {
    await this.until(() => false, ms)
  }

  /** Runs the world at once, without letting anybody go on in between; false when `end` did not hold within `ms`. */
  runNow(end: () => boolean, ms: number): boolean {
    const last = this.scheduler.now + ms * 1000
    while (!end()) if (this.scheduler.now > last || !this.scheduler.next()) return false
    return true
  }

  /** From now on nothing happens; whoever waits, or asks later, hears why. */
  stop(reason: string): void {
    this.break(new Error(reason))
  }

  /** As `stop`, because something is wrong; the sentence then says how to have it again. */
  fail(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    this.break(new Error(`${message} (testCluster with { seed: ${this.seed} } repeats it)`, { cause: error }))
  }

  private break(error: Error): void {
    this.broken ??= error
    const waiters = [...this.waiters]
    this.waiters.clear()
    for (const waiter of waiters) waiter.failed(this.broken)
  }

  private wait(waiter: Waiter): void {
    if (this.broken !== null) return waiter.failed(this.broken)
    this.waiters.add(waiter)
    if (this.looping) return
    this.looping = true
    soon(() => this.loop())
  }

  private loop(): void {
    while (this.driven()) {
      try {
        if (!this.scheduler.next()) throw new Error('nothing is left to happen')
      } catch (error) {
        this.looping = false
        this.fail(error)
        return
      }
      for (const goal of this.goals) {
        if (!goal()) continue
        this.goals.delete(goal)
        this.clientRan = true
      }
      if (!this.clientRan) continue
      this.clientRan = false
      soon(() => this.loop())
      return
    }
    this.looping = false
  }

  private driven(): boolean {
    for (const waiter of this.waiters) if (waiter.drives()) return true
    return false
  }
}
