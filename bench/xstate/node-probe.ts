import { monitorEventLoopDelay } from 'node:perf_hooks'
import { PROBE_SIGNAL, PROBE_TEXT } from './node-memory.ts'

/** Loaded into a node of the bench (`--import`): asked by a signal, it says on stderr what its memory holds. */
const gc = (globalThis as { readonly gc?: () => void }).gc
const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()

process.on(PROBE_SIGNAL, () => {
  const longestDelayMs = delays.max / 1e6
  // Twice: what finalizers let go goes with the second.
  gc?.()
  gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  process.stderr.write(`${PROBE_TEXT}${JSON.stringify({ heapUsed, external, rss, longestDelayMs })}\n`)
  delays.reset()
})
