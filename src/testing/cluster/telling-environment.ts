import type { ClientEnvironment } from '../../client/index.ts'

/** The same environment, which calls `told` whenever the client may be about to tell the code that uses it something. */
export function telling(environment: ClientEnvironment, tell: () => void): ClientEnvironment {
  const told =
    <Parameters extends unknown[]>(call: (...parameters: Parameters) => void) =>
    (...parameters: Parameters): void => {
      tell()
      call(...parameters)
    }
  const { dial, clock } = environment
  return {
    ...environment,
    dial: (endpoint, { onFrame, onClosed }) => dial(endpoint, { onFrame: told(onFrame), onClosed: told(onClosed) }),
    clock: {
      nowMs: clock.nowMs,
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, told(callback)),
      defer: (callback) => clock.defer(told(callback)),
    },
  }
}
