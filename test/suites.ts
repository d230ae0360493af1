/** One way to run the tests, chosen by vitest's `--mode`. Times are those of two cores that do nothing else. */
export interface Suite {
  /** Said before the first test. */
  readonly says: string
  readonly exclude: readonly string[]
  /** Factor on the sample sizes of properties and of rounds: `test/effort.ts`. */
  readonly effort: number
  readonly timeoutMs: number
}

/** Tests of whole processes, and of many seeds: what takes seconds each. */
const WHOLE_PROCESSES = [
  'test/cluster/**',
  'test/sim/**',
  'test/bad-input/**',
  'test/cli/commands.test.ts',
  'test/cli/setup.test.ts',
  'test/storage/disk/lock-race.test.ts',
  'test/storage/system-calls/**',
]

const MINUTE_MS = 60_000

export const SUITES: { readonly [mode: string]: Suite } = {
  test: {
    says: 'About two minutes on two cores. `npm run test:quick` leaves out whole processes: under one minute.',
    exclude: [],
    effort: 1,
    timeoutMs: MINUTE_MS,
  },
  quick: {
    says: 'Unit and property tests: under one minute on two cores.',
    exclude: WHOLE_PROCESSES,
    effort: 1,
    timeoutMs: MINUTE_MS,
  },
  long: {
    says: 'Every test, with samples twenty times as large: five minutes on two cores, then 2,000 seeds in the simulator.',
    exclude: [],
    effort: 20,
    timeoutMs: 30 * MINUTE_MS,
  },
}
