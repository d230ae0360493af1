import { say } from './output.ts'

/** How long one node may take to end in order once it was asked to; ending it as it is loses nothing acknowledged. */
export const END_MS_MAX = 4_000

/** Why a server that was asked to end while it started did not start. */
export class StopAsked extends Error {
  override readonly name = 'StopAsked'
}

type Wish = 'SIGINT' | 'SIGTERM' | 'disconnect'

const wishes = new Set<Wish>()
/** Of a server, which ends in order; null: a command that a signal ends where it stands. */
let serving: { readonly stop: AbortController; readonly endMsMax: number } | null = null

/**
 * Hears signals from here on, before anything slow: process 1 of a container is never ended by a signal that it does not
 * handle, and a parent that goes away while its child starts is never heard of again.
 */
export function hearSignals(): void {
  process.on('SIGINT', () => hear('SIGINT'))
  process.on('SIGTERM', () => hear('SIGTERM'))
  if (process.connected) process.on('disconnect', () => hear('disconnect'))
}

/**
 * This process is a server from here on. Aborts, with `StopAsked`, when somebody wants it to end: Ctrl-C, SIGTERM, or the
 * parent that started it as its child has gone. Ctrl-C comes to a child twice, from the terminal and as its parent's
 * SIGTERM; the same signal for a second time ends the process at once, and so do `endMsMax` milliseconds.
 */
export function serveUntilStopped(endMsMax = END_MS_MAX): AbortSignal {
  const stop = new AbortController()
  serving = { stop, endMsMax }
  if (wishes.has('disconnect')) askToStop()
  return stop.signal
}

export function isServing(): boolean {
  return serving !== null
}

/** Waits for the wish to stop, then closes. */
export async function closeWhenStopped(running: { close(): Promise<void> }, stop: AbortSignal): Promise<void> {
  await whenAborted(stop)
  say('stopping')
  await running.close()
}

/** Resolves once the signal is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function hear(wish: Wish): void {
  const again = wishes.has(wish)
  wishes.add(wish)
  if (serving !== null) {
    if (again) endAsItIs(wish === 'disconnect' ? 'SIGTERM' : wish)
    askToStop()
  } else if (wish !== 'disconnect') endNow(wish)
}

function askToStop(): void {
  if (serving === null || serving.stop.signal.aborted) return
  const { stop, endMsMax } = serving
  setTimeout(() => {
    say(`not closed within ${endMsMax / 1000} s: ended as it is, which loses nothing acknowledged`)
    endAsItIs('SIGKILL')
  }, endMsMax).unref()
  stop.abort(new StopAsked('asked to stop before it was ready'))
}

/** As the signal would have ended it, so that whoever waits for the process sees that; process 1 can only exit. */
function endNow(signal: Exclude<Wish, 'disconnect'>): void {
  if (process.pid === 1) process.exit(signal === 'SIGINT' ? 130 : 143)
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}

/**
 * Ends this process though a thread of it may hang in the disk: `process.exit` waits for that thread, for ever. Process 1
 * is spared by every signal that it could send itself, but not by `abort`.
 */
function endAsItIs(signal: NodeJS.Signals): void {
  if (process.pid === 1) process.abort()
  process.removeAllListeners(signal)
  process.kill(process.pid, signal)
}
