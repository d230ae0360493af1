import { setTimeout as pause } from 'node:timers/promises'

const ASK_AGAIN_MS = 100

/** The first answer that is no rejection, asked for again and again; rejects with the last one when the time is over. */
export async function within<Value>(milliseconds: number, ask: () => Promise<Value>): Promise<Value> {
  const until = performance.now() + milliseconds
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (performance.now() > until) throw error
      await pause(ASK_AGAIN_MS)
    }
  }
}
