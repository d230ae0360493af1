import { say, table, withCommas } from '../../src/cli/terminal/output.ts'
import { closedLoop, type LoopResult } from '../closed-loop.ts'
import { type Spread, spread } from '../peers/spread.ts'
import type { LookupKind, OrderSessions } from './order-lanes.ts'

/** So many under way: one alone is what a look-up takes, more of them wait for each other on the processors. */
const IN_FLIGHT = [1, 4]
const KINDS: readonly LookupKind[] = ['index', 'key']

/** Look-ups of one kind; medians and ranges over the rounds. */
export interface LookupTimes {
  readonly p50Us: Spread
  readonly p99Us: Spread
  readonly perSecond: Spread
}

/** Look-ups through the index beside those of as many rows by their keys. */
export interface LookupCost {
  readonly inFlight: number
  readonly index: LookupTimes
  readonly key: LookupTimes
  /** Of the medians of one round, by the index over by key: what the index adds to a query. */
  readonly ratio: Spread
  readonly failures: number
}

interface LookupFlags {
  readonly rounds: number
  readonly seconds: number
  readonly lookupsInFlight: number
}

/** Measures both kinds in turn, with 1, 4 and `lookupsInFlight` under way; the last one is what the bound is for. */
export async function lookUps(sessions: OrderSessions, flags: LookupFlags): Promise<readonly LookupCost[]> {
  const counts = [...IN_FLIGHT.filter((count) => count < flags.lookupsInFlight), flags.lookupsInFlight]
  const costs: LookupCost[] = []
  for (const inFlight of counts) costs.push(await lookUpsAt(inFlight, sessions, flags))
  say(tableOf(costs))
  return costs
}

async function lookUpsAt(inFlight: number, sessions: OrderSessions, flags: LookupFlags): Promise<LookupCost> {
  const measured: { readonly [kind in LookupKind]: LoopResult[] } = { index: [], key: [] }
  const measure = async (kind: LookupKind): Promise<LoopResult> => {
    const times = { warmUpMs: flags.seconds * 250, measureMs: flags.seconds * 1000 }
    return closedLoop(sessions.lookups(kind, inFlight), times)
  }
  for (const kind of KINDS) await measure(kind)
  for (let round = 0; round < flags.rounds; round += 1)
    for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) measured[kind].push(await measure(kind))
  const { index, key } = measured
  const ratios = index.map(({ p50Ms }, round) => p50Ms / (key[round]?.p50Ms ?? p50Ms))
  return {
    inFlight,
    index: timesOf(index),
    key: timesOf(key),
    ratio: spread(ratios.map((ratio) => Math.round(ratio * 100) / 100)),
    failures: [...index, ...key].reduce((sum, { failures }) => sum + failures, 0),
  }
}

function timesOf(results: readonly LoopResult[]): LookupTimes {
  return {
    p50Us: spread(results.map(({ p50Ms }) => Math.round(p50Ms * 1000))),
    p99Us: spread(results.map(({ p99Ms }) => Math.round(p99Ms * 1000))),
    perSecond: spread(results.map(({ commandsPerSecond }) => commandsPerSecond)),
  }
}

function tableOf(costs: readonly LookupCost[]): string {
  const header = ['in flight', 'by', 'per second', 'p50 µs', 'p99 µs', 'range of p99', 'p50 by index / by key']
  const rows = costs.flatMap((cost) =>
    KINDS.map((kind) => {
      const { p50Us, p99Us, perSecond } = cost[kind]
      const ratio = kind === 'index' ? String(cost.ratio.median) : ''
      const range = `${p99Us.min}–${p99Us.max}`
      return [
        String(cost.inFlight),
        kind,
        withCommas(perSecond.median),
        String(p50Us.median),
        String(p99Us.median),
        range,
        ratio,
      ]
    }),
  )
  return table([header, ...rows])
}
