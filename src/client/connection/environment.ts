import { Random } from '../../base/random.ts'
import { type ClientClock, type ClientEnvironment, type Dial, TIMER_MS_MAX } from './ports.ts'

/** The process's clock and timers. */
export const processClock: ClientClock = {
  nowMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    // Beyond that it would fire at once.
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX))
    return { cancel: () => clearTimeout(timer) }
  },
  defer: queueMicrotask,
}

/** The same for a node of this process: upkeep alone does not keep the process alive once the node was closed. */
const embeddedClock: ClientClock = {
  ...processClock,
  setTimer: (delayMs, callback, upkeep) => {
    const timer = setTimeout(callback, Math.min(delayMs, TIMER_MS_MAX))
    if (upkeep !== undefined) timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
}

const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count))

const warn = (code: string, message: string): void => process.emitWarning(message, { type: 'HoldfastWarning', code })

/** The real world around a way to dial. */
export function nodeEnvironment(dial: Dial): ClientEnvironment {
  return environmentOn(processClock, dial)
}

/** The real world around a node of this process. */
export function embeddedEnvironment(dial: Dial): ClientEnvironment {
  return environmentOn(embeddedClock, dial)
}

function environmentOn(clock: ClientClock, dial: Dial): ClientEnvironment {
  const seed = new Uint32Array(randomBytes(16).buffer)
  return { dial, clock, random: new Random(...seed), randomBytes, warn }
}
