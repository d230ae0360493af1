/** One way to run the tests, chosen by vitest's `--mode`. Times are those of two cores that do nothing else. */
export interface Suite {
  /** Said before the first test. */
  readonly says: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  /** Factor on the sample sizes of properties and of rounds: `test/effort.ts`. */
  readonly effort: number
  readonly timeoutMs: number
}

/** Templates and examples have their tests beside them, as a user's project has. */
const ALL = ['test/**/*.test.ts', 'examples/**/*.test.ts', 'templates/**/*.test.ts']

/** Clusters that faults are put to, planted bugs, the package as it is installed: what takes ten seconds and more. */
const FAULTS = [
  'test/bad-input/data-option.test.ts',
  'test/cli/develop/dev-watch.test.ts',
  'test/cluster/addresses.test.ts',
  'test/cluster/backups/**/*.test.ts',
  'test/cluster/clients/**/*.test.ts',
  'test/cluster/damage/**/*.test.ts',
  'test/cluster/faults/**/*.test.ts',
  'test/cluster/first-election.test.ts',
  'test/cluster/first-peers.test.ts',
  'test/cluster/freeze.test.ts',
  'test/cluster/hanging-lookup.test.ts',
  'test/cluster/installs/**/*.test.ts',
  'test/cluster/leases/**/*.test.ts',
  'test/cluster/leaving/**/*.test.ts',
  'test/cluster/load/**/*.test.ts',
  'test/cluster/machines/**/*.test.ts',
  'test/cluster/members/**/*.test.ts',
  'test/cluster/operators/**/*.test.ts',
  'test/cluster/schedules/**/*.test.ts',
  'test/cluster/stopping.test.ts',
  'test/cluster/traces/**/*.test.ts',
  'test/package/testing-page.test.ts',
  'test/package/installed/**/*.test.ts',
  'test/newcomer/**/*.test.ts',
  'test/sim/planted-bugs.test.ts',
  'test/storage/system-calls/failing-node.test.ts',
]

/** Tests of whole processes, and of many seeds: what takes seconds each. */
const WHOLE_PROCESSES = [
  'test/cluster/**',
  'test/sim/**',
  'test/bad-input/**',
  'test/cli/commands.test.ts',
  'test/cli/config/commands.test.ts',
  'test/cli/develop/dev-watch.test.ts',
  'test/cli/machines/**',
  'test/cli/setup.test.ts',
  'test/host/exports.test.ts',
  'test/cli/scaffold/new-machine.test.ts',
  'test/newcomer/**',
  'test/package/**',
  'test/storage/disk/lock-race.test.ts',
  'test/storage/system-calls/**',
  'test/testing/exit.test.ts',
]

const MINUTE_MS = 60_000

export const SUITES: { readonly [mode: string]: Suite } = {
  test: {
    says: 'About six minutes on two cores. `npm run test:quick` leaves out whole processes, `test:faults` has more of them.',
    include: ALL,
    exclude: FAULTS,
    effort: 1,
    timeoutMs: MINUTE_MS,
  },
  faults: {
    says: 'Clusters under faults of network, process and disk, and planted bugs: about ten minutes on two cores.',
    include: FAULTS,
    exclude: [],
    effort: 1,
    timeoutMs: 3 * MINUTE_MS,
  },
  planted: {
    says: 'Any test, for those that are to notice a planted bug (npm run mutants).',
    include: ALL,
    exclude: [],
    effort: 1,
    timeoutMs: 3 * MINUTE_MS,
  },
  quick: {
    says: 'Unit and property tests: under two minutes on two cores.',
    include: ALL,
    exclude: WHOLE_PROCESSES,
    effort: 1,
    timeoutMs: MINUTE_MS,
  },
  long: {
    says: 'Every test, with samples twenty times as large: about an hour on two cores; then 2,000 seeds in the simulator.',
    include: ALL,
    exclude: [],
    effort: 20,
    timeoutMs: 30 * MINUTE_MS,
  },
}
