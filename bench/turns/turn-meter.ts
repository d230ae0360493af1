import { openSync, readSync } from 'node:fs'
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { METER_SIGNAL, METER_TEXT, type Turns } from './turn-meters.ts'

/**
 * Loaded into a node of the bench (`--import`): asked by a signal, it says on stderr how long its thread has worked in one turn
 * of its loop at most since it was asked last, by the kernel's count, which is the node's own work, and how late the loop was
 * by the clock, which other processes of a busy machine hold up too. It never collects garbage itself.
 */
const LONG_MS = 5
/** Turns that a collection may still turn out to belong to: of that it is told some turns later. */
const TOLD_MS = 100

interface LongTurn {
  readonly from: number
  readonly to: number
  readonly ms: number
  collected: boolean
}

const schedule = openSchedule()
const bytes = Buffer.alloc(64)
const delays = monitorEventLoopDelay({ resolution: 1 })
let long: LongTurn[] = []
let longestMs = 0
let longestCollectionMs = 0
let workedNs = workNs()
let turnedAt = performance.now()

delays.enable()
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const { startTime, duration } = entry
    // Node's types leave out what entries of collections have.
    const { kind } = Reflect.get(entry, 'detail') as { readonly kind: number }
    if (kind === constants.NODE_PERFORMANCE_GC_WEAKCB) continue
    longestCollectionMs = Math.max(longestCollectionMs, duration)
    for (const turn of long) turn.collected ||= startTime < turn.to && startTime + duration > turn.from
  }
}).observe({ entryTypes: ['gc'] })

// Each turn in which a millisecond has passed runs a timer: what is read holds up to a millisecond of the turns beside it.
setInterval(() => {
  const [now, from, to] = [workNs(), turnedAt, performance.now()]
  const ms = (now - workedNs) / 1e6
  workedNs = now
  turnedAt = to
  longestMs = Math.max(longestMs, ms)
  if (ms > LONG_MS) long.push({ from, to, ms, collected: false })
}, 1).unref()

process.on(METER_SIGNAL, () => {
  setTimeout(tell, TOLD_MS)
})

function tell(): void {
  const without = long.filter(({ collected }) => !collected).map(({ ms }) => ms)
  const turns: Turns = {
    longestMs: schedule === null ? null : longestMs,
    longestWithoutCollectionMs: schedule === null ? null : Math.max(Math.min(longestMs, LONG_MS), ...without),
    over10Ms: long.filter(({ ms }) => ms > 10).length,
    longestCollectionMs,
    delayP99Ms: delays.percentile(99) / 1e6,
    delayMaxMs: delays.max / 1e6,
    rssBytes: process.memoryUsage.rss(),
  }
  process.stderr.write(`${METER_TEXT}${JSON.stringify(turns)}\n`)
  long = []
  longestMs = 0
  longestCollectionMs = 0
  delays.reset()
}

/** Linux alone has it. */
function openSchedule(): number | null {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return null
  }
}

/**
 * Processor time of this thread. The kernel brings a running thread's count up to date at its ticks, 4 ms apart; asked for the
 * whole process's use it does so at once.
 */
function workNs(): number {
  if (schedule === null) return 0
  process.cpuUsage()
  return Number(bytes.toString('latin1', 0, readSync(schedule, bytes, 0, bytes.length, 0)).split(' ', 1)[0])
}
