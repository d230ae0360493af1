/** What one request of the load is about: it writes, reads what is written all the time, or what nobody writes. */
export type Subject = 'write' | 'busy' | 'quiet'

/** One request: wall clock, ms; `answeredAt` null: it failed. */
export interface Asked {
  readonly subject: Subject
  readonly askedAt: number
  readonly answeredAt: number | null
}

/** One kill of a leader under load. Wall clock, ms. */
export interface ElectionTrial {
  readonly killedAt: number
  /** When the next leader says that it was elected. */
  readonly electedAt: number
  readonly asked: readonly Asked[]
  /** By the new leader's count: reads that it answered in limbo, and those that waited for it; null: not known. */
  readonly limbo: { readonly served: number; readonly waited: number } | null
}

/** By nearest rank; zeros when nothing was measured. */
export interface Ranks {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Milliseconds from the election on: of a read that was asked before it too. */
export interface ElectionFigures {
  readonly electedMs: Ranks
  readonly firstReadMs: Ranks
  readonly firstWriteMs: Ranks
  readonly quietReadMs: Ranks
  readonly busyReadMs: Ranks
  /** Share of the reads, of both kinds, that took longer than a read may. */
  readonly lateShare: number
  /** Share of the reads that a new leader took in limbo which waited until that was applied; null: not known. */
  readonly waitedShare: number | null
  readonly failures: number
}

/**
 * What became of those who asked around elections: reads that were asked before `windowMs` had gone by since the election,
 * and that the new leader has answered. A trial in which no write was answered, or no quiet read, counts as a failure.
 */
export function electionFigures(
  trials: readonly ElectionTrial[],
  { windowMs, readMsMax }: { readonly windowMs: number; readonly readMsMax: number },
): ElectionFigures {
  const quiet = trials.flatMap((trial) => readsOf(trial, 'quiet', windowMs))
  const busy = trials.flatMap((trial) => readsOf(trial, 'busy', windowMs))
  const firstReads = trials.flatMap((trial) => firstAnswerOf(trial, 'quiet'))
  const firstWrites = trials.flatMap((trial) => firstAnswerOf(trial, 'write'))
  const reads = [...quiet, ...busy]
  const unserved = 2 * trials.length - firstReads.length - firstWrites.length
  return {
    electedMs: ranks(trials.map(({ killedAt, electedAt }) => electedAt - killedAt)),
    firstReadMs: ranks(firstReads),
    firstWriteMs: ranks(firstWrites),
    quietReadMs: ranks(quiet),
    busyReadMs: ranks(busy),
    lateShare: share(reads.filter((ms) => ms > readMsMax).length, reads.length),
    waitedShare: waitedShareOf(trials),
    failures: trials.reduce((sum, { asked }) => sum + asked.filter(isFailed).length, 0) + unserved,
  }
}

function isFailed({ answeredAt }: Asked): boolean {
  return answeredAt === null
}

function readsOf({ electedAt, asked }: ElectionTrial, wanted: Subject, windowMs: number): number[] {
  return asked.flatMap(({ subject, askedAt, answeredAt }) => {
    if (subject !== wanted || answeredAt === null || answeredAt < electedAt) return []
    return askedAt < electedAt + windowMs ? [answeredAt - Math.max(askedAt, electedAt)] : []
  })
}

/** Of a request that was asked at any time; empty: there was none. */
function firstAnswerOf({ electedAt, asked }: ElectionTrial, wanted: Subject): number[] {
  const answers = asked.flatMap(({ subject, answeredAt }) =>
    subject === wanted && answeredAt !== null && answeredAt >= electedAt ? [answeredAt - electedAt] : [],
  )
  return answers.length === 0 ? [] : [answers.reduce((least, ms) => Math.min(least, ms))]
}

function waitedShareOf(trials: readonly ElectionTrial[]): number | null {
  const counted = trials.flatMap(({ limbo }) => (limbo === null ? [] : [limbo]))
  if (counted.length === 0) return null
  const waited = counted.reduce((sum, one) => sum + one.waited, 0)
  return share(waited, waited + counted.reduce((sum, one) => sum + one.served, 0))
}

function ranks(values: readonly number[]): Ranks {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? 0
  return { count: sorted.length, p50: at(0.5), p99: at(0.99), max: at(1) }
}

/** Three decimals; 0 of nothing. */
function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 1000) / 1000
}
