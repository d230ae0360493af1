/** Who waits for each signal: one listener serves them all, because Node warns of a signal with many. */
const waiting = new WeakMap<AbortSignal, Set<() => void>>()

/** Calls back once when the signal aborts, unless what it returns was called before. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = waiting.get(signal) ?? listenTo(signal)
  callbacks.add(callback)
  return () => {
    callbacks.delete(callback)
  }
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const callbacks = new Set<() => void>()
  const abort = (): void => {
    waiting.delete(signal)
    for (const callback of [...callbacks]) callback()
  }
  signal.addEventListener('abort', abort, { once: true })
  waiting.set(signal, callbacks)
  return callbacks
}
