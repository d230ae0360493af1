import type { Random } from '../../base/random.ts'
import type { ClientEnvironment } from '../../client/connection/ports.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedChannels } from './simulated-channels.ts'

/** Everything of the simulated world that the client library uses, for the client of that name. */
export function environmentOf(parts: {
  readonly name: string
  readonly scheduler: Scheduler
  readonly channels: SimulatedChannels
  readonly random: Random
}): ClientEnvironment {
  const { scheduler, random, channels, name } = parts
  return {
    dial: channels.dial(name),
    random,
    // Nothing fails in a simulated client but the simulator itself, and what its checkers find: that ends the seed. Not from
    // here: what whoever hears of failures throws is nobody's to hear.
    warn: (code, message, cause) =>
      scheduler.after(0, () => {
        throw cause ?? new Error(`${code}: ${message}`)
      }),
    randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
    clock: {
      nowMs: () => scheduler.now / 1000,
      setTimer: (delayMs, callback) => {
        let armed = true
        // What is left of a delay may be less than a microsecond, and no timer is early: time would stand still.
        scheduler.after(delayMs > 0 ? Math.max(1, delayMs * 1000) : 0, () => {
          if (armed) callback()
        })
        return {
          cancel: () => {
            armed = false
          },
        }
      },
      defer: (callback) => scheduler.after(0, callback),
    },
  }
}
