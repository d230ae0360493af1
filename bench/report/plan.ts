import type { ReportedBench } from './targets.ts'

/** How one bench is run for the report. */
export interface Planned {
  readonly bench: ReportedBench
  /** On an idle machine of two processors, minutes, with all peers. */
  readonly minutes: number
  readonly full: readonly string[]
  /** Enough to see that it runs, and no more. */
  readonly quick: readonly string[]
}

/** Every bench that the report reads, in the order in which it runs them. */
export const PLAN: readonly Planned[] = [
  { bench: 'footprint', minutes: 1, full: [], quick: words('--runs 1 --seconds 4') },
  { bench: 'latency', minutes: 2, full: [], quick: words('--pairs 1 --seconds 2') },
  { bench: 'throughput', minutes: 25, full: [], quick: words('--runs 1 --seconds 1 --callbacks 1000') },
  { bench: 'queries', minutes: 6, full: [], quick: words('--rounds 1 --seconds 1 --trials 1') },
  { bench: 'embedded', minutes: 3, full: [], quick: words('--pairs 1 --seconds 1 --in-flight 64 --warm 5000') },
  { bench: 'server-requests', minutes: 1, full: [], quick: words('--seconds 2') },
  { bench: 'failover', minutes: 12, full: [], quick: words('--trials 2') },
  {
    bench: 'growth',
    minutes: 9,
    full: [],
    quick: words('--nodes 1,3 --payload 16,1024 --sessions 10,1000 --runs 1 --seconds 1'),
  },
  { bench: 'sessions', minutes: 8, full: [], quick: words('--sessions 5000 --runs 1 --seconds 1') },
  { bench: 'snapshot', minutes: 7, full: [], quick: words('--rows 10000 --runs 1 --seconds 3 --rate 200') },
  {
    bench: 'restart',
    minutes: 6,
    full: [],
    quick: words('--sessions 5000 --tail-bytes 2000000 --callbacks 500 --runs 1'),
  },
  { bench: 'catch-up', minutes: 6, full: [], quick: words('--megabytes 16 --runs 1 --seconds 3 --rate 100') },
]

function words(text: string): string[] {
  return text.split(' ')
}
