import { cpus, loadavg } from 'node:os'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import type { Floor } from '../floor.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { type AfterElections, QUIET_READ_MS_MAX } from './after-elections.ts'
import type { QueriesFlags, QueriesRound } from './queries.ts'
import { CONNECTIONS, type QuerySpeed } from './query-speed.ts'

/** Linearizable queries beside etcd's linearizable reads, and beside our own writes. */
const TIMES_ETCD_MIN = 3
const TIMES_WRITES_MIN = 1.5

/** What was measured; null: left out. */
export interface QueriesMeasured {
  readonly speed: { readonly rounds: readonly QueriesRound[]; readonly skipped: string | null } | null
  readonly elections: AfterElections | null
  readonly floor: Floor
  readonly flags: QueriesFlags
}

/** Tells what was measured; false when a bound does not hold, or a call failed. */
export function reportQueries({ speed, elections, floor, flags }: QueriesMeasured): boolean {
  const speeds = speed === null ? null : speedsOf(speed.rounds, speed.skipped, flags.inFlight)
  const failures = (speeds?.failures ?? 0) + (elections?.plain.failures ?? 0) + (elections?.leased.failures ?? 0)
  const quiet = elections?.leased.quietReadMs.p99 ?? 0
  const hold = (speeds?.hold ?? true) && quiet <= QUIET_READ_MS_MAX
  if (flags.json) {
    const bounds = {
      ratioToEtcdMin: TIMES_ETCD_MIN,
      ratioToWritesMin: TIMES_WRITES_MIN,
      leasedReadRoundsMax: 0,
      quietReadP99MsMax: QUIET_READ_MS_MAX,
      hold,
    }
    const load = loadavg()[0]
    const machine = { cpus: cpus().length, model: cpus()[0]?.model ?? 'unknown', node: process.version, load }
    printJson({ ...speeds?.said, afterElections: elections, bounds, failures, floor, machine })
  } else {
    if (speeds !== null) say(speeds.sentence)
    if (elections !== null) say(electionsSentence(elections))
  }
  return hold && failures === 0
}

interface Speeds {
  readonly said: object
  readonly sentence: string
  readonly failures: number
  readonly hold: boolean
}

function speedsOf(rounds: readonly QueriesRound[], skipped: string | null, inFlight: number): Speeds {
  const plain = saidOf(
    rounds.map(({ queries }) => queries),
    inFlight,
  )
  const leased = saidOf(
    rounds.map((one) => one.leased),
    inFlight,
  )
  const writesPerSecond = spread(rounds.map(({ writes }) => writes.commandsPerSecond))
  const toWrites = rounds.map(({ queries, writes }) => ratio(queries.commandsPerSecond, writes.commandsPerSecond))
  const theirs = rounds.flatMap(({ queries, leased: byLease, etcd }) => {
    if (etcd === null) return []
    const { perSecond, failures } = etcd
    const [own, ownByLease] = [queries, byLease].map((one) => ratio(one.commandsPerSecond, perSecond))
    return [{ perSecond, failures, own: own ?? 0, ownByLease: ownByLease ?? 0 }]
  })
  const etcd =
    skipped === null ? { perSecond: spread(theirs.map((one) => one.perSecond)), connections: CONNECTIONS } : { skipped }
  const ratioToEtcd = skipped === null ? spread(theirs.map(({ own }) => own)) : null
  const leasedRatioToEtcd = skipped === null ? spread(theirs.map(({ ownByLease }) => ownByLease)) : null
  const ratioToWrites = spread(toWrites)
  const own = rounds.reduce((sum, { queries, leased: byLease, writes }) => {
    return sum + queries.failures + byLease.failures + writes.failures
  }, 0)
  const fast = ratioToWrites.median >= TIMES_WRITES_MIN && (ratioToEtcd?.median ?? TIMES_ETCD_MIN) >= TIMES_ETCD_MIN
  const beside = ratioToEtcd === null ? `no comparison with etcd: ${skipped}` : `${ratioToEtcd.median} times etcd's`
  return {
    said: { queries: plain, leased, writesPerSecond, etcd, ratioToEtcd, leasedRatioToEtcd, ratioToWrites },
    sentence:
      `${sentenceOf(plain)}: ${ratioToWrites.median} times our writes, ${beside}\n` +
      `with leases ${sentenceOf(leased)}, ${leased.readRounds?.median ?? 'an unknown number of'} rounds`,
    failures: theirs.reduce((sum, { failures }) => sum + failures, own),
    hold: fast && leased.readRounds?.median === 0,
  }
}

interface SaidSpeed {
  readonly perSecond: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly cpuMicrosPerQuery: number
  /** Null: a leader changed while it was measured. */
  readonly readRounds: Spread | null
  readonly inFlight: number
  readonly connections: number
}

function saidOf(measured: readonly QuerySpeed[], inFlight: number): SaidSpeed {
  const rounds = measured.flatMap(({ readRounds }) => (readRounds === null ? [] : [readRounds]))
  return {
    perSecond: spread(measured.map((one) => one.commandsPerSecond)),
    p50Ms: spread(measured.map((one) => one.p50Ms)),
    p99Ms: spread(measured.map((one) => one.p99Ms)),
    cpuMicrosPerQuery: spread(measured.map((one) => one.cpuMicros ?? Number.NaN)).median,
    readRounds: rounds.length < measured.length ? null : spread(rounds),
    inFlight,
    connections: CONNECTIONS,
  }
}

function sentenceOf({ perSecond, p99Ms, cpuMicrosPerQuery }: SaidSpeed): string {
  return `${withCommas(perSecond.median)} linearizable queries/s, p99 ${p99Ms.median} ms, ${cpuMicrosPerQuery} µs of CPU each`
}

function electionsSentence({ trials, plain, leased }: AfterElections): string {
  const lines = [['without leases', plain] as const, ['with leases', leased] as const].map(([way, of]) => {
    const { firstWriteMs, quietReadMs, busyReadMs, waitedShare, lateShare } = of
    const waited =
      waitedShare === null ? `${lateShare} took longer than ${QUIET_READ_MS_MAX} ms` : `${waitedShare} waited`
    return (
      `${way}: first write p50 ${firstWriteMs.p50}, p99 ${firstWriteMs.p99} ms; reads of what nobody writes p99 ` +
      `${quietReadMs.p99} ms, of what is written p99 ${busyReadMs.p99} ms; of the reads ${waited}`
    )
  })
  return [`after ${trials} elections each`, ...lines].join('\n')
}

function ratio(ours: number, theirs: number): number {
  return Math.round((ours / theirs) * 100) / 100
}
