/** Thrown (and reported) when a machine asks its process for something that differs between replicas (machines.md §2). */
export class DeterminismError extends Error {
  override readonly name = 'DeterminismError'
  /** The API as it was called, e.g. `Date.now()`. */
  readonly api: string

  constructor(api: string, why: string, instead: string) {
    super(`${api} ${why}, so a machine may not use it; ${instead}`)
    this.api = api
  }
}

/** Why something is forbidden and what to use instead. */
export interface Rule {
  readonly why: string
  readonly instead: string
}

const DIFFERS = 'differs between replicas'
const RUNTIMES = 'may differ between builds of Node'
export const CLOCK: Rule = { why: DIFFERS, instead: 'use ctx.now, the clock that the log agreed on' }
const RANDOM = { why: DIFFERS, instead: 'use ctx.random(), seeded by the entry' }
const IDENTITY = { why: DIFFERS, instead: 'use ctx.id(prefix), unique for ever' }
const TIMER = { why: DIFFERS, instead: 'use ctx.schedule, a durable timer' }
const OUTSIDE = {
  why: DIFFERS,
  instead: 'use ctx.task: a worker does it and its result comes back as a command',
}
const PROCESS = {
  why: DIFFERS,
  instead: 'put what the machine must know into the input of a command, so that ctx.state holds it',
}
const DIGEST = { why: DIFFERS, instead: 'use ctx.hash(bytes), which is synchronous' }
export const ZONE: Rule = {
  why: DIFFERS,
  instead: 'compute from ctx.now in UTC (the getUTC… and setUTC… of Date, toISOString)',
}
const LOCALE = {
  why: DIFFERS,
  instead:
    'it depends on the locale of the machine: compare with < and >, as rows in ctx.state are ordered, and format in the client',
}
const UNICODE = { why: RUNTIMES, instead: 'normalize in the client, or compare what ctx.state holds as it came' }
export const INEXACT: Rule = {
  why: RUNTIMES,
  instead:
    'its last digits are not defined: compute in integers, or take the number from the input of a command and keep it in ctx.state',
}
/** Text of which the case is mapped alike in every build, by its last character. */
export const CASE_MAPPED: readonly (readonly [member: 'toUpperCase' | 'toLowerCase', last: string])[] = [
  // A small letter may be given a capital one at any time: that of U+019B came with Unicode 16.
  ['toUpperCase', '\u00ff'],
  // Latin, Greek and Cyrillic: what is a capital letter there has had its small one since there is Node.
  ['toLowerCase', '\u052f'],
]
export const CASES: Rule = {
  why: RUNTIMES,
  instead:
    'which letters have two cases depends on its Unicode: map the letters whose pairs are settled (a to z), or let the client map',
}
const COLLECTED = { why: DIFFERS, instead: 'garbage is collected at another time on each: keep it in ctx.state' }

/** Members of objects that every program shares; they throw when they are called. */
export const METHODS: readonly (readonly [holder: object, name: string, members: readonly string[], rule: Rule])[] = [
  [Math, 'Math', ['random'], RANDOM],
  [Math, 'Math', ['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2', 'sinh', 'cosh', 'tanh'], INEXACT],
  [
    Math,
    'Math',
    ['asinh', 'acosh', 'atanh', 'exp', 'expm1', 'log', 'log1p', 'log2', 'log10', 'cbrt', 'hypot'],
    INEXACT,
  ],
  [globalThis, '', ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'], TIMER],
  [globalThis, '', ['fetch'], OUTSIDE],
  // Imported from node:perf_hooks it is the object itself.
  [Object.getPrototypeOf(performance) as object, 'performance', ['now'], CLOCK],
  [String.prototype, 'String', ['localeCompare', 'toLocaleLowerCase', 'toLocaleUpperCase'], LOCALE],
  [String.prototype, 'String', ['normalize'], UNICODE],
  [Number.prototype, 'Number', ['toLocaleString'], LOCALE],
  [BigInt.prototype, 'BigInt', ['toLocaleString'], LOCALE],
  [Array.prototype, 'Array', ['toLocaleString'], LOCALE],
  [Object.getPrototypeOf(Uint8Array.prototype) as object, 'TypedArray', ['toLocaleString'], LOCALE],
  [Date.prototype, 'Date', ['toLocaleString', 'toLocaleDateString', 'toLocaleTimeString'], LOCALE],
  [Date.prototype, 'Date', ['getFullYear', 'getMonth', 'getDate', 'getDay', 'getHours', 'getMinutes', 'getYear'], ZONE],
  [Date.prototype, 'Date', ['setFullYear', 'setMonth', 'setDate', 'setHours', 'setMinutes', 'setYear'], ZONE],
  [Date.prototype, 'Date', ['getTimezoneOffset', 'toString', 'toDateString', 'toTimeString'], ZONE],
]

const OF_PROCESS = [
  ...['env', 'argv', 'execArgv', 'execPath', 'pid', 'ppid', 'platform', 'arch', 'version', 'versions', 'release'],
  ...['title', 'config', 'features', 'cwd', 'memoryUsage', 'cpuUsage', 'resourceUsage'],
].map((name) => [name, PROCESS] as const)

/** Global objects with members that are forbidden, by their own rule or the object's. */
export const MEMBERS: readonly (readonly [
  global: string,
  members: Readonly<Record<string, Rule>>,
  others: Rule | null,
])[] = [
  ['crypto', { randomUUID: IDENTITY, getRandomValues: RANDOM, subtle: DIGEST }, DIGEST],
  ['performance', { now: CLOCK, timeOrigin: CLOCK }, CLOCK],
  ['Intl', {}, LOCALE],
  ['navigator', {}, PROCESS],
  ['process', { hrtime: CLOCK, uptime: CLOCK, nextTick: TIMER, ...Object.fromEntries(OF_PROCESS) }, null],
]

/** Constructors that nothing replicated may be made with. */
export const CONSTRUCTORS: readonly (readonly [global: string, rule: Rule])[] = [
  ['WeakRef', COLLECTED],
  ['FinalizationRegistry', COLLECTED],
  ['WebSocket', OUTSIDE],
  ['EventSource', OUTSIDE],
  ['XMLHttpRequest', OUTSIDE],
]

const COMPRESSED = { why: RUNTIMES, instead: 'compress in the client, and keep the bytes in ctx.state as they came' }

/**
 * Functions of Node's modules that are imported, by their own rule; no names: all of the module. What the list leaves out of a
 * module gives the same everywhere: createHash, scryptSync, inflateSync, …
 */
export const IMPORTED: readonly (readonly [module: string, members: readonly string[], rule: Rule])[] = [
  ['crypto', ['randomUUID'], IDENTITY],
  ['crypto', ['randomBytes', 'randomInt', 'randomFill', 'randomFillSync', 'getRandomValues', 'publicEncrypt'], RANDOM],
  ['crypto', ['pseudoRandomBytes', 'prng', 'rng', 'createDiffieHellman', 'createECDH', 'sign', 'createSign'], RANDOM],
  ['crypto', ['generateKey', 'generateKeySync', 'generateKeyPair', 'generateKeyPairSync'], RANDOM],
  ['crypto', ['generatePrime', 'generatePrimeSync', 'checkPrime', 'checkPrimeSync'], RANDOM],
  ['zlib', ['deflate', 'deflateRaw', 'gzip', 'brotliCompress', 'zstdCompress'].flatMap(withSync), COMPRESSED],
  ['process', ['hrtime', 'uptime', 'cpuUsage', 'memoryUsage'], CLOCK],
  ['process', ['cwd'], PROCESS],
  ['os', [], PROCESS],
  ['timers', [], TIMER],
  ['timers/promises', [], TIMER],
  ['fs', [], OUTSIDE],
  ['fs/promises', [], OUTSIDE],
  ['child_process', [], OUTSIDE],
  ['worker_threads', [], OUTSIDE],
  ['net', [], OUTSIDE],
  ['dgram', [], OUTSIDE],
  ['dns', [], OUTSIDE],
  ['dns/promises', [], OUTSIDE],
  ['http', [], OUTSIDE],
  ['https', [], OUTSIDE],
]

function withSync(name: string): string[] {
  return [name, `${name}Sync`]
}

/** `base` to the power of `exponent` is exact in every build: an integer that a number holds exactly. */
export function isExactPower(base: number, exponent: number): boolean {
  return Number.isInteger(base) && Number.isInteger(exponent) && Number.isSafeInteger(base ** exponent)
}

/** A date as text that means the same in every zone: a day alone, or a time with its zone. */
export const namesItsZone = (text: string): boolean =>
  /^\d{4}-\d\d(-\d\d)?$/.test(text) || /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/.test(text)
