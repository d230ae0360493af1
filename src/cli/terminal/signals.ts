import { say } from './output.ts'

/**
 * Resolves when somebody wants this process to end: Ctrl-C, SIGTERM, or the parent that started it as its child has
 * gone. A second signal ends the process at once.
 */
export function stopRequested(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const ask = (): void => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    process.on('SIGINT', ask)
    process.on('SIGTERM', ask)
    if (process.connected) process.on('disconnect', ask)
  })
}

/** Waits for the wish to stop, then closes. */
export async function untilStopped(running: { close(): Promise<void> }): Promise<void> {
  await stopRequested()
  say('stopping')
  await running.close()
}
