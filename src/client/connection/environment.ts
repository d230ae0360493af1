import { Random } from '../../base/random.ts'
import type { ClientClock, ClientEnvironment, Dial } from './ports.ts'

/** The process's clock and timers. */
export const processClock: ClientClock = {
  nowMs: () => performance.now(),
  setTimer: (delayMs, callback) => {
    const timer = setTimeout(callback, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
  defer: queueMicrotask,
}

const randomBytes = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count))

/** The real world around a way to dial. */
export function nodeEnvironment(dial: Dial): ClientEnvironment {
  const seed = new Uint32Array(randomBytes(16).buffer)
  return { dial, clock: processClock, random: new Random(...seed), randomBytes }
}
