import { sentenceOf } from '../check/invalid-argument.ts'
import { onRejected } from '../check/rejected.ts'

/** Keys that are remembered so that nothing is warned about twice. */
const WARNED_MAX = 1024

/** Callbacks of the user: nothing that they throw or reject with leaves here; it is warned about, once per callback. */
export class Callbacks {
  private readonly warned = new Set<string>()
  private readonly warn: (code: string, message: string, cause?: unknown) => unknown

  /** `warn` absent: nobody hears of it. */
  constructor(warn: ((code: string, message: string, cause?: unknown) => unknown) | undefined) {
    this.warn = warn ?? ignore
  }

  /** Calls; `name` is what the user calls it. A promise that comes back is not waited for. */
  call(name: string, callback: () => unknown): void {
    try {
      // An async function as a callback may reject.
      onRejected(callback(), (error) => this.failed(name, error))
    } catch (error) {
      this.failed(name, error)
    }
  }

  /** Says it unless it was said of this code and `about` before. */
  warnOnce(code: string, about: string, message: string, cause?: unknown): void {
    const key = `${code} ${about}`
    if (this.warned.has(key) || this.warned.size >= WARNED_MAX) return
    this.warned.add(key)
    try {
      onRejected(this.warn(code, message, cause), ignore)
    } catch {
      // Whoever hears of failures has failed: nobody is left to be told.
    }
  }

  /** A callback of that name threw. */
  failed(name: string, error: unknown): void {
    this.warnOnce('CALLBACK_FAILED', name, `${name} failed, which changes nothing: ${sentenceOf(error)}`, error)
  }
}

function ignore(): void {}
