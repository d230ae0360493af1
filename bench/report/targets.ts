/** Benches whose results the report reads. */
export type ReportedBench =
  | 'throughput'
  | 'latency'
  | 'queries'
  | 'embedded'
  | 'sessions'
  | 'snapshot'
  | 'restart'
  | 'catch-up'
  | 'failover'
  | 'growth'
  | 'server-requests'
  | 'footprint'

/** One line of the report. */
export interface Target {
  /** P1 to P16. */
  readonly number: string
  readonly what: string
  readonly bench: ReportedBench
  /** Where the bench's result has the figure: names joined by dots; `name=value` takes that element of a list. */
  readonly at: string
  /** Divides it by this other figure. */
  readonly over?: string
  /** Where the result says why a peer was skipped, when the figure is not there. */
  readonly peer?: string
  /** Behind the figure. */
  readonly unit: string
  /** What is to be reached at last; a figure without either is reported, and has no verdict. */
  readonly goal?: { readonly least: number } | { readonly most: number }
  /** What is wanted now, where that is less. */
  readonly wanted?: number
  /** Where the time goes as far as it is known, and the next step, for a figure that misses its goal. */
  readonly next: string
}

const COMMAND_NEXT =
  'Profile: `throughput --cpu-prof DIR`. Row look-ups by hash, property walks and copies of a request lead it; next are rows written once to LevelDB, and a walk without descriptors.'
const LONE_NEXT =
  'Work and wake-ups of three processes on two processors, no function above 1.2 %: next is HTTP/2 by hand on the dialled side, and applying in the turn that commits.'
const CALLBACK_NEXT =
  'Profile: `callbacks` with `--cpu-prof` of `throughput`. The walk of values, audit hashing and garbage (6 %) lead it; next is a compiled check in place of zod, and a walk without descriptors.'
const IDLE_NEXT =
  'A follower turns its loop 58 times a second for 18 heartbeats, a leader 170 times: next is to leave out the turns in which nothing is due.'
const SESSION_NEXT = 'The figures are those of the rows as they are stored; names of fields are most of them.'

/** Every line, in the order of the report. */
export const TARGETS: readonly Target[] = [
  {
    ...{ number: 'P1', what: 'register writes, 1,000 in flight', bench: 'throughput', at: 'ratioToEtcd.1000' },
    ...{ unit: '× etcd', goal: { least: 10 }, wanted: 6, next: COMMAND_NEXT },
  },
  {
    ...{ number: 'P1', what: 'register writes, 256 in flight', bench: 'throughput', at: 'ratioToEtcd.256' },
    ...{ unit: '× etcd', goal: { least: 8 }, wanted: 5, next: COMMAND_NEXT },
  },
  {
    ...{ number: 'P1', what: 'payment callbacks, 1,000 in flight', bench: 'throughput', at: 'peers.postgres.ratio' },
    ...{ unit: '× PostgreSQL', goal: { least: 4 }, wanted: 3, next: CALLBACK_NEXT },
  },
  {
    ...{ number: 'P2', what: 'register writes, 64 in flight', bench: 'throughput', at: 'ratioToEtcd.64' },
    ...{ unit: '× etcd', goal: { least: 6 }, wanted: 4, next: COMMAND_NEXT },
  },
  {
    ...{ number: 'P2', what: 'register writes, 16 in flight', bench: 'throughput', at: 'ratioToEtcd.16' },
    ...{ unit: '× etcd', goal: { least: 4 }, wanted: 2.5, next: COMMAND_NEXT },
  },
  {
    ...{ number: 'P3', what: 'commands a second, one in flight', bench: 'latency', at: 'ratioToEtcd', peer: 'etcd' },
    ...{ unit: '× etcd', goal: { least: 1.67 }, wanted: 1, next: LONE_NEXT },
  },
  {
    ...{
      number: 'P3',
      what: 'p50 of one in flight over the floor',
      bench: 'latency',
      at: 'warm.p50Ms',
      over: 'floorMs',
    },
    ...{ unit: '× floor', goal: { most: 2 }, next: LONE_NEXT },
  },
  {
    ...{
      number: 'P3',
      what: 'p99 of one in flight over the floor',
      bench: 'latency',
      at: 'warm.p99Ms',
      over: 'floorMs',
    },
    ...{ unit: '× floor', goal: { most: 2 }, next: LONE_NEXT },
  },
  {
    ...{
      number: 'P4',
      what: 'linearizable queries, 1,000 in flight',
      bench: 'queries',
      at: 'ratioToEtcd',
      peer: 'etcd',
    },
    ...{ unit: '× etcd', goal: { least: 5 }, next: 'Profile: `queries --cpu-prof DIR`.' },
  },
  {
    ...{ number: 'P4', what: 'linearizable queries beside own writes', bench: 'queries', at: 'ratioToWrites' },
    ...{ unit: '× own writes', goal: { least: 2 }, next: 'Profile: `queries --cpu-prof DIR`.' },
  },
  {
    ...{ number: 'P5', what: 'processor time of a register write, all processes', bench: 'throughput' },
    ...{ at: 'points.inFlight=1000.cpuMicrosPerCommand', unit: 'µs', goal: { most: 20 }, next: COMMAND_NEXT },
  },
  {
    ...{ number: 'P5', what: 'processor time of a payment callback, all processes', bench: 'throughput' },
    ...{ at: 'payments.cpuMicrosPerCommand', unit: 'µs', goal: { most: 130 }, wanted: 200, next: CALLBACK_NEXT },
  },
  {
    ...{ number: 'P6', what: 'one embedded node, 1,000 in flight', bench: 'embedded', at: 'ratioToCluster' },
    ...{ unit: '× three nodes', goal: { least: 1.5 } },
    next: 'Client and node share one thread: next is a worker for the log and LevelDB, and frames that are not encoded within a process.',
  },
  {
    ...{
      number: 'P7',
      what: 'heap of an open idle session',
      bench: 'sessions',
      at: 'heapBytesPerSession',
      unit: 'bytes',
    },
    ...{ goal: { most: 600 }, next: 'A heap snapshot of `sessions`: one object per row, and the principal’s text.' },
  },
  {
    ...{ number: 'P7', what: 'writes beside a million sessions', bench: 'sessions', at: 'throughputRatio' },
    ...{
      unit: '× of few',
      goal: { least: 0.8 },
      next: 'Marking of the old generation, and poor locality of look-ups.',
    },
  },
  {
    ...{
      number: 'P8',
      what: 'longest own work in one turn, snapshot under load',
      bench: 'snapshot',
      at: 'longestWorkMs',
    },
    ...{ unit: 'ms', goal: { most: 10 } },
    next: 'Profile: `snapshot --cpu-prof DIR`. `longestWithoutCollectionMs` tells garbage from own slices: smaller slices for the latter, rows written once for the former.',
  },
  {
    ...{ number: 'P8', what: 'p99 of appends with a snapshot : without', bench: 'snapshot', at: 'appendP99Ratio' },
    ...{ unit: '×', goal: { most: 1.5 } },
    next: 'The log’s sync waits behind LevelDB’s writes in one thread pool: next is a pool of its own.',
  },
  {
    ...{ number: 'P8', what: 'p99 of writes with a snapshot : without', bench: 'snapshot', at: 'writeP99Ratio' },
    ...{
      unit: '×',
      goal: { most: 2 },
      next: 'As for appends; the processors are shared by three nodes that all write it.',
    },
  },
  {
    ...{ number: 'P9', what: 'restart, a million sessions and 64 MiB of log', bench: 'restart' },
    ...{ at: 'registers.servingMs', unit: 'ms', goal: { most: 10_000 } },
    next: '`loadMs` and `replayMs` tell the rows of the snapshot from the log. Profile: `restart --cpu-prof DIR`, of the last start.',
  },
  {
    ...{ number: 'P9', what: 'replay of register entries', bench: 'restart', at: 'registers.entriesPerSecond' },
    ...{
      unit: '/s',
      goal: { least: 200_000 },
      next: 'Profile: `restart --callbacks 0 --cpu-prof DIR`. Applying, 5 µs an entry, is the bound; reading and checking the log comes on top.',
    },
  },
  {
    ...{ number: 'P9', what: 'replay of payment callbacks', bench: 'restart', at: 'callbacksPerSecond', unit: '/s' },
    ...{
      goal: { least: 20_000 },
      next: 'Profile: `restart --cpu-prof DIR`. Applying, 40 µs a callback, is the bound.',
    },
  },
  {
    ...{ number: 'P10', what: 'a follower’s pull beside a copy over a socket', bench: 'catch-up' },
    ...{ at: 'ratioToLoopback', unit: '×', goal: { least: 0.5 } },
    next: 'Profile: `catch-up --cpu-prof DIR`. Each part waits for the one before, and each row is decoded as it comes: next are several parts under way.',
  },
  {
    ...{ number: 'P10', what: 'p99 of writes with the pull : without', bench: 'catch-up', at: 'writeP99Ratio' },
    ...{
      unit: '×',
      goal: { most: 2 },
      next: 'The leader reads and sends between its turns: next is a pace by its own delay.',
    },
  },
  {
    ...{ number: 'P11', what: 'gap after `kill -9` of the leader, p50', bench: 'failover', at: 'gapMs.kill.p50' },
    ...{
      unit: 'ms',
      goal: { most: 60 },
      next: 'The kernel frees the memory of the killed process before it resets connections.',
    },
  },
  {
    ...{ number: 'P11', what: 'the same, p99', bench: 'failover', at: 'gapMs.kill.p99' },
    ...{ unit: 'ms', goal: { most: 250 }, next: 'Split votes, and a disk that is late.' },
  },
  {
    ...{
      number: 'P11',
      what: 'the same, p50, beside etcd',
      bench: 'failover',
      at: 'gapMs.kill.p50',
      over: 'etcd.kill.p50',
    },
    ...{ unit: '× etcd', goal: { most: 0.05 }, next: 'As for p50.' },
  },
  {
    ...{ number: 'P12', what: 'writes of three nodes, 1,000 in flight (curves below)', bench: 'growth' },
    ...{ at: 'nodes.at=3.perSecond', unit: '/s', next: '' },
  },
  {
    ...{
      number: 'P13',
      what: 'server requests, delivered and acknowledged',
      bench: 'server-requests',
      at: 'perSecond',
    },
    ...{ unit: '/s', goal: { least: 100_000 }, next: 'Profile: `server-requests --cpu-prof DIR`.' },
  },
  {
    ...{ number: 'P14', what: 'resident memory of an idle node', bench: 'footprint', at: 'idleRssMib', unit: 'MiB' },
    ...{
      goal: { most: 120 },
      next: 'Most is V8, gRPC and protobufjs: next is to load parts when they are first needed.',
    },
  },
  {
    ...{ number: 'P14', what: 'from start to ready', bench: 'footprint', at: 'readyMs', unit: 'ms' },
    ...{ goal: { most: 1000 }, next: 'Most is loading modules: next is a compile cache.' },
  },
  {
    ...{ number: 'P14', what: 'idle follower’s share of a processor', bench: 'footprint', at: 'followerPercent' },
    ...{ unit: '%', goal: { most: 1 }, next: IDLE_NEXT },
  },
  {
    ...{ number: 'P14', what: 'idle leader’s share of a processor', bench: 'footprint', at: 'leaderPercent' },
    ...{ unit: '%', goal: { most: 1 }, next: IDLE_NEXT },
  },
  {
    ...{ number: 'P15', what: 'stored bytes of an open session (beside 108)', bench: 'footprint' },
    ...{ at: 'rowBytes.session', unit: 'bytes', next: SESSION_NEXT },
  },
  {
    ...{ number: 'P15', what: 'of a cached response beyond its payload (beside 48)', bench: 'footprint' },
    ...{ at: 'rowBytes.cachedResponse', unit: 'bytes', next: SESSION_NEXT },
  },
  {
    ...{ number: 'P15', what: 'of a pending request beyond its payload (beside 40)', bench: 'footprint' },
    ...{ at: 'rowBytes.pendingRequest', unit: 'bytes', next: SESSION_NEXT },
  },
  {
    ...{ number: 'P15', what: 'rows that a command changes, 20,000 sessions : 1,000', bench: 'footprint' },
    ...{ at: 'rowBytes.changedRows.many', over: 'rowBytes.changedRows.few', unit: '×', goal: { most: 1 } },
    next: 'A command must change its own rows alone.',
  },
  {
    ...{ number: 'P16', what: 'payment callbacks, 1,000 in flight', bench: 'throughput', at: 'peers.restate.ratio' },
    ...{ unit: '× Restate', goal: { least: 10 }, next: CALLBACK_NEXT },
  },
  {
    ...{ number: 'P16', what: 'payment callbacks, 1,000 in flight', bench: 'throughput', at: 'peers.dbos.ratio' },
    ...{ unit: '× DBOS', goal: { least: 10 }, next: CALLBACK_NEXT },
  },
]
