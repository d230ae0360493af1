/** What a folder of src/ may import: the dependency table of the architecture, as data. */
export interface FolderRule {
  /** Folders whose values and types it may import. */
  readonly folders: readonly string[]
  /** Folders of which only types may be imported. */
  readonly types?: readonly string[]
  /**
   * Rooms and files of other folders, as paths below src/, that it may import although their folder is not listed: of a
   * room types alone, of a single file its values too.
   */
  readonly rooms?: readonly string[]
  /** Packages; `@grpc/*` stands for a scope, `node:*` for all of Node's modules. */
  readonly packages: readonly string[]
  /** Names that may be taken of one module, where the whole module would be too much. */
  readonly names?: { readonly [specifier: string]: readonly string[] }
  /** Packages and folders that only the named file may import. */
  readonly onlyIn?: { readonly [packageOrFolder: string]: string }
  /** No clock, no randomness, no input or output, nothing asynchronous. */
  readonly pure?: true
  /** Files that it may load with a dynamic import. */
  readonly dynamic?: readonly string[]
}

/** The public entry point at the top of src/ knows every folder. */
export const COMPOSITION_ROOTS = ['index.ts']

export const TABLE: { readonly [folder: string]: FolderRule } = {
  base: { folders: [], packages: [], pure: true },
  raft: { folders: ['base'], packages: [], pure: true },
  // Judges of what was observed, whoever observed it.
  history: { folders: [], packages: [], pure: true },
  // A specification that shares nothing with what it judges.
  trace: { folders: ['base'], packages: [], pure: true },
  // The checksum of an entry and the digest of a secret are Node's own: two pure functions, and nothing else of Node.
  codec: { folders: ['base'], packages: [], names: { 'node:zlib': ['crc32'], 'node:crypto': ['hash'] } },
  // Zone rules are those of the process: only who proposes asks for them, and nothing that is applied.
  calendar: {
    folders: ['base'],
    packages: ['temporal-polyfill'],
    onlyIn: { 'temporal-polyfill': 'calendar/occurrences.ts' },
  },
  session: {
    folders: ['base'],
    types: ['codec'],
    rooms: ['codec/value/value-error.ts', 'codec/entry/names.ts'],
    packages: [],
    pure: true,
  },
  machine: {
    folders: ['base', 'codec', 'session'],
    rooms: ['calendar/cron.ts'],
    packages: ['zod', 'xstate'],
    pure: true,
  },
  machines: { folders: ['base', 'session', 'machine'], packages: ['zod', 'xstate'], pure: true },
  protocol: { folders: ['base', 'codec'], packages: ['zod'] },
  // What both ends of gRPC share; a file is found by its own URL.
  grpc: { folders: ['base'], packages: ['@grpc/*', 'node:*'] },
  node: { folders: ['base', 'raft', 'codec', 'session', 'calendar'], types: ['trace'], packages: [] },
  gateway: { folders: ['base', 'codec', 'node', 'protocol'], types: ['session'], packages: [] },
  storage: { folders: ['base', 'codec'], types: ['raft'], rooms: ['node/ports'], packages: ['level', 'node:*'] },
  transport: {
    folders: ['base', 'codec', 'grpc', 'protocol'],
    types: ['raft'],
    rooms: ['node/ports'],
    packages: ['@grpc/*'],
  },
  server: {
    folders: ['base', 'codec', 'gateway', 'grpc', 'node', 'session', 'protocol'],
    types: ['machine', 'trace'],
    packages: ['@grpc/*', 'zod', 'pino', 'node:*'],
  },
  client: {
    folders: ['base', 'codec', 'grpc', 'protocol'],
    types: ['machine'],
    packages: ['@grpc/*'],
    onlyIn: { '@grpc/*': 'client/connection/grpc.ts', grpc: 'client/connection/grpc.ts' },
  },
  // Keys of the subjects of personal fields: files and messages of their own, beside the log.
  erasure: {
    folders: ['base', 'codec', 'node', 'storage'],
    types: ['gateway', 'session'],
    packages: ['node:*'],
  },
  assembly: {
    folders: ['base', 'codec', 'session', 'node', 'gateway', 'storage'],
    types: ['machine'],
    packages: [],
  },
  // What callers without gRPC ask of a node: a server of HTTP, and the node's own session behind it.
  http: {
    folders: ['base', 'protocol', 'client', 'machines'],
    types: ['codec'],
    rooms: ['server/socket-listener.ts', 'server/descriptors.ts'],
    packages: ['node:*'],
  },
  // The composition root: the only folder that knows stores, servers and machines.
  host: {
    folders: [
      'base',
      'raft',
      'codec',
      'machine',
      'machines',
      'node',
      'gateway',
      'protocol',
      'server',
      'storage',
      'transport',
      'assembly',
      'client',
      'http',
      'erasure',
    ],
    packages: ['node:*'],
    // A program that is a client alone imports `holdfast` too.
    dynamic: ['host/run-node.ts'],
  },
  sim: {
    folders: [
      'base',
      'history',
      'trace',
      'raft',
      'codec',
      'session',
      'machine',
      'machines',
      'protocol',
      'node',
      'gateway',
      'storage',
      'assembly',
      'client',
    ],
    // Charts that it runs, and the actors that it holds them against; the schema of a machine of its own.
    packages: ['xstate', 'zod'],
  },
  testing: {
    folders: [
      'base',
      'history',
      'codec',
      'session',
      'machine',
      'client',
      'node',
      'gateway',
      'storage',
      'assembly',
      'erasure',
    ],
    // The world of the simulator, for test clusters without its faults and its checkers.
    rooms: [
      'sim/world/simulated-cluster.ts',
      'sim/world/simulated-clock.ts',
      'sim/world/client-environment.ts',
      'sim/world',
      // And with them, for workloads.
      'sim/faulty-world.ts',
      'sim/checkers/violation.ts',
      'sim/run-seed.ts',
    ],
    packages: ['fast-check'],
  },
  // A command line reads files, sockets and processes: Node's modules besides its parser of options.
  cli: {
    folders: [
      'base',
      'history',
      'trace',
      'protocol',
      'calendar',
      'client',
      'machine',
      'machines',
      'sim',
      'testing',
      'host',
    ],
    packages: ['commander', 'jiti', 'yaml', 'zod', '@dagrejs/dagre', '<computed>', 'node:*'],
    // A module of the user's is loaded by its path.
    onlyIn: {
      jiti: 'cli/machines/load-module.ts',
      '<computed>': 'cli/machines/load-module.ts',
      '@dagrejs/dagre': 'cli/diagrams/layout.ts',
    },
    // XState is no package that everybody has.
    dynamic: ['sim/charts/run-charts-seed.ts'],
  },
}

/** Globals that make a function depend on more than its arguments. */
export const IMPURE_GLOBALS: readonly string[] = [
  'Date',
  'performance',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'queueMicrotask',
  'process',
  'console',
  'crypto',
  'fetch',
  'globalThis',
  'navigator',
  'WebSocket',
  'require',
]

/** What the simulator reaches at run time although it is impure, and why that does no harm. */
export const SIMULATOR_EXCEPTIONS: readonly { file: string; problem: string; why: string }[] = [
  {
    file: 'gateway/in-process-server.ts',
    problem: 'uses queueMicrotask',
    why: 'The default of an argument; the simulator gives its own clock instead.',
  },
]
