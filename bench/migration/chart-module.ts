import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const HEAD = `
import { closeSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs'
import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { fromXState } from 'holdfast/xstate'
import { createMachine } from 'xstate'

const first = fromXState(
  createMachine({
    id: 'order',
    initial: 'waiting',
    context: { sent: 0 },
    states: { waiting: { after: { 86400000: 'late' }, on: { PAID: 'paid' } }, late: {}, paid: {} },
  }),
  { name: 'order', version: 1 },
)
`

/**
 * The new chart: an inner state with a timer of its own, and another delay, so that each entity has one timer cancelled and two
 * armed.
 */
const SECOND = `
let meter = null
const directory = process.env.BENCH_METER
const began = () => {
  if (meter === null && directory !== undefined) meter = new Meter(directory)
  meter?.busy()
}

const second = fromXState(
  createMachine({
    id: 'order',
    initial: 'waiting',
    context: { sent: 0 },
    states: {
      waiting: {
        initial: 'quiet',
        after: { 172800000: 'late' },
        on: { PAID: 'paid' },
        states: { quiet: { after: { 90000000: 'reminded' } }, reminded: {} },
      },
      late: {},
      paid: {},
    },
  }),
  {
    name: 'order',
    version: 2,
    migrate: ({ context }) => {
      began()
      return { context: { ...context, sent: 1 } }
    },
  },
)
`

/**
 * Looks at each turn of the loop, from the first entity that is migrated until some time after the last one: what the thread
 * has worked in it, as the kernel counts it, which is at least as much as the node's own slice, collections included; and the
 * memory.
 */
const METER = `
const AFTER_MS = 3_000
// Turns that a collection may still turn out to belong to: it is told of some turns later.
const LONG_MS = 5
const LONG_KEPT = 64

class Meter {
  constructor(directory) {
    this.directory = directory
    this.fd = openSync('/proc/thread-self/schedstat', 'r')
    this.bytes = Buffer.alloc(64)
    this.delay = monitorEventLoopDelay({ resolution: 1 })
    this.delay.enable()
    this.beganAt = performance.now()
    this.before = process.memoryUsage()
    this.result = { turns: 0, longestMs: 0, over5: 0, over10: 0, workMs: 0, rssBytes: 0, heapBytes: 0 }
    this.collected = { longestCollectionMs: 0, longestWithoutMs: 0, longestWithScavengeMs: 0, longestWithMarkingMs: 0, over5Without: 0 }
    // Turns of more than 5 ms: when, how much work, and what collections were within.
    this.long = []
    this.collections = new PerformanceObserver((list) => {
      for (const { startTime, duration, detail } of list.getEntries()) this.collection(startTime, duration, detail.kind)
    })
    this.collections.observe({ entryTypes: ['gc'] })
    this.lastWorkNs = this.workNs()
    this.turnAt = performance.now()
    this.looked = 0
    this.turn()
  }

  busy() {
    this.busyAt = performance.now()
  }

  turn() {
    setImmediate(() => {
      const now = this.workNs()
      const ms = (now - this.lastWorkNs) / 1e6
      this.lastWorkNs = now
      const from = this.turnAt
      this.turnAt = performance.now()
      const { result } = this
      result.turns += 1
      result.workMs += ms
      result.longestMs = Math.max(result.longestMs, ms)
      if (ms > 5) result.over5 += 1
      if (ms > 10) result.over10 += 1
      if (ms > LONG_MS) this.keep({ from, to: this.turnAt, ms, scavenged: false, marked: false })
      if (performance.now() - this.looked > 200) this.look()
      if (performance.now() - this.busyAt < AFTER_MS) this.turn()
      else this.end()
    })
  }

  look() {
    this.looked = performance.now()
    const { rss, heapUsed } = process.memoryUsage()
    this.result.rssBytes = Math.max(this.result.rssBytes, rss)
    this.result.heapBytes = Math.max(this.result.heapBytes, heapUsed)
    // Not what was read for it.
    this.lastWorkNs = this.workNs()
  }

  keep(turn) {
    this.long.push(turn)
    if (this.long.length > LONG_KEPT) this.judge(this.long.shift())
  }

  // In time of the wall: how much of it was this thread's own work nobody tells.
  collection(at, ms, kind) {
    this.collected.longestCollectionMs = Math.max(this.collected.longestCollectionMs, ms)
    for (const turn of this.long) {
      if (at >= turn.to || at + ms <= turn.from) continue
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR) turn.scavenged = true
      else turn.marked = true
    }
  }

  judge({ ms, scavenged, marked }) {
    const { collected } = this
    const longest = marked ? 'longestWithMarkingMs' : scavenged ? 'longestWithScavengeMs' : 'longestWithoutMs'
    collected[longest] = Math.max(collected[longest], ms)
    if (!scavenged && !marked) collected.over5Without += 1
  }

  end() {
    this.delay.disable()
    this.collections.disconnect()
    closeSync(this.fd)
    for (const turn of this.long) this.judge(turn)
    const path = this.directory + '/' + process.pid + '.json'
    const told = {
      ...this.result,
      ...this.collected,
      migratedMs: this.busyAt - this.beganAt,
      rssBeforeBytes: this.before.rss,
      heapBeforeBytes: this.before.heapUsed,
      delayP99Ms: this.delay.percentile(99) / 1e6,
      delayMaxMs: this.delay.max / 1e6,
    }
    writeFileSync(path + '.new', JSON.stringify(told))
    renameSync(path + '.new', path)
  }

  // The kernel brings a running thread's count up to date at its ticks, 4 ms apart, so that a turn read as up to 4 ms more or
  // less than it was. Asked for the whole process's use it does so at once: what is read then is right within 0.2 ms.
  workNs() {
    process.cpuUsage()
    return Number(this.bytes.latin1Slice(0, readSync(this.fd, this.bytes, 0, 64, 0)).split(' ')[0])
  }
}
`

/** Writes the module of the nodes as it was before the upgrade (`old`), or with both charts side by side (`new`). */
export function writeChartModule(path: string, build: 'old' | 'new'): void {
  mkdirSync(dirname(path), { recursive: true })
  const text = build === 'old' ? `${HEAD}\nexport { first }\n` : `${HEAD}${METER}${SECOND}\nexport { first, second }\n`
  writeFileSync(path, text)
}
