import { openSync, readSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type NodeMemory, PROBE_SIGNAL, PROBE_TEXT } from './node-memory.ts'

/**
 * Loaded into a node of the bench (`--import`): asked by a signal, it says on stderr what its memory holds, and how long the
 * loop was held up since it was asked last: by the clock, which other processes of a busy machine hold up too, and by the
 * processor time of its thread, which is the node's own work.
 */
const gc = (globalThis as { readonly gc?: () => void }).gc
/** The collection holds the loop up too, which is noted in a turn to come. */
const SETTLED_MS = 200
const delays = monitorEventLoopDelay({ resolution: 1 })
const schedule = openSchedule()
const bytes = Buffer.alloc(64)
let workedNs = workNs()
let longestNs = 0

delays.enable()
// Each turn in which a millisecond has passed runs a timer.
setInterval(() => {
  const now = workNs()
  longestNs = Math.max(longestNs, now - workedNs)
  workedNs = now
}, 1).unref()

process.on(PROBE_SIGNAL, () => {
  const [longestDelayMs, longestWorkMs] = [delays.max / 1e6, schedule === null ? null : longestNs / 1e6]
  // Twice: what finalizers let go goes with the second.
  gc?.()
  gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const memory: NodeMemory = { heapUsed, external, rss, longestDelayMs, longestWorkMs }
  process.stderr.write(`${PROBE_TEXT}${JSON.stringify(memory)}\n`)
  setTimeout(() => {
    delays.reset()
    longestNs = 0
  }, SETTLED_MS).unref()
})

/** Linux alone has it. */
function openSchedule(): number | null {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return null
  }
}

/** Processor time of this thread. */
function workNs(): number {
  if (schedule === null) return 0
  return Number(bytes.toString('latin1', 0, readSync(schedule, bytes, 0, bytes.length, 0)).split(' ', 1)[0])
}
