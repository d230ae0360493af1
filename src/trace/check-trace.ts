import type { TraceLine } from './line.ts'
import { SpecCluster } from './spec/cluster.ts'
import { NotAllowed } from './spec/not-allowed.ts'

/** What a trace shows. */
export interface TraceVerdict {
  /** Lines that were taken, by kind: of steps the event, of messages `receive` and the message. */
  readonly taken: { readonly [kind: string]: number }
  readonly lines: number
  readonly nodes: number
  /** Terms that had a leader, and entries that were committed. */
  readonly elections: number
  readonly committed: number
  /** Null: every step was one that the specification allows. */
  readonly violation: TraceViolation | null
}

/** The first step that is not allowed. */
export interface TraceViolation {
  readonly rule: string
  readonly seen: string
  readonly node: string
  /** Which line of that node, from 1. */
  readonly line: number
}

/**
 * Whether the specification allows what the nodes wrote down. Lines of a node are in its own order; nodes are put together by
 * their messages alone, each of which arrives after it was sent, so that clocks do not matter: between two steps of two nodes
 * that no message orders, Raft knows no order either.
 */
export function checkTrace(lines: Iterable<TraceLine>): TraceVerdict {
  const cluster = new SpecCluster()
  const queues = queuesOf(lines)
  const taken: { [kind: string]: number } = {}
  let count = 0
  const verdict = (violation: TraceViolation | null): TraceVerdict => ({
    taken,
    lines: count,
    nodes: queues.length,
    elections: cluster.safety.elections,
    committed: cluster.safety.entries,
    violation,
  })
  let progress = true
  while (progress) {
    progress = false
    for (const queue of queues) {
      for (let line = queue.lines[queue.at]; line !== undefined; line = queue.lines[queue.at]) {
        if (!cluster.isEnabled(line)) break
        const broken = take(cluster, line)
        if (broken !== null) return verdict({ ...broken, node: line.node, line: queue.at + 1 })
        taken[kindOf(line)] = (taken[kindOf(line)] ?? 0) + 1
        count += 1
        queue.at += 1
        progress = true
      }
    }
  }
  const stuck = queues.filter(({ at, lines: own }) => at < own.length)
  // Others wait for messages that the ones behind them would have sent.
  const first = stuck.find((queue) => !isSentLater(queue, queues)) ?? stuck[0]
  return verdict(first === undefined ? null : unsent(first))
}

interface Queue {
  readonly node: string
  readonly lines: TraceLine[]
  at: number
}

function queuesOf(lines: Iterable<TraceLine>): readonly Queue[] {
  const queues = new Map<string, Queue>()
  for (const line of lines) {
    const queue = queues.get(line.node) ?? { node: line.node, lines: [], at: 0 }
    queue.lines.push(line)
    queues.set(line.node, queue)
  }
  return [...queues.values()]
}

function take(cluster: SpecCluster, line: TraceLine): { readonly rule: string; readonly seen: string } | null {
  try {
    cluster.take(line)
    return null
  } catch (error) {
    if (error instanceof NotAllowed) return { rule: error.rule, seen: error.message.slice(error.rule.length + 2) }
    if (error instanceof RangeError) return { rule: 'entries follow one another', seen: error.message }
    throw error
  }
}

function kindOf(line: TraceLine): string {
  if (line.kind !== 'step') return line.kind
  return line.event.kind === 'receive' ? `receive ${line.event.message.kind}` : line.event.kind
}

/** Whether what the queue waits for is in a line that was not taken. */
function isSentLater({ lines, at }: Queue, queues: readonly Queue[]): boolean {
  const line = lines[at]
  if (line?.kind !== 'step' || line.event.kind !== 'receive') return false
  const { from, message } = line.event
  const sender = queues.find(({ node }) => node === from)
  const { kind, term } = message
  return (sender?.lines.slice(sender.at) ?? []).some(
    (later) =>
      later.kind === 'step' &&
      later.sends.some((send) => send.to === line.node && send.message.kind === kind && send.message.term === term),
  )
}

/** All that is left waits for messages. */
function unsent({ lines, at, node }: Queue): TraceViolation {
  const line = lines[at]
  const what = line?.kind === 'step' && line.event.kind === 'receive' ? line.event : null
  return {
    rule: 'what arrives was sent before, and what it waited for was on disk',
    seen: what === null ? 'nothing' : `from ${what.from}: ${JSON.stringify(what.message)}`,
    node,
    line: at + 1,
  }
}
