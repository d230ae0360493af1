import { type LookupAddress, lookup as getaddrinfo } from 'node:dns'

/** Resolves a name, as the system does; may take as long as it likes, and cannot be stopped. */
export type ResolveName = (
  name: string,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

/** One who waits for the addresses of a name. */
interface Waiting {
  readonly done: (error: Error | null, addresses: LookupAddress[]) => void
  readonly timer: NodeJS.Timeout
}

interface KnownName {
  readonly name: string
  readonly waiting: Set<Waiting>
  state: 'idle' | 'queued' | 'running'
  /** What it resolved to last; null: never yet in this process. */
  lastGood: readonly LookupAddress[] | null
  /** Its last lookup took, or the running one takes, longer than `SLOW_MS`. */
  slow: boolean
}

/**
 * Lookups under way at once, in threads of libuv's pool (four), where each stays until the system gives up, ten seconds and
 * more. The other two are left to the disk: the log's sync and the snapshots.
 */
const RUNNING_MAX = 2
/** While all of those hang, one name that is not known to gets a third thread; the disk keeps the last one. */
const RUNNING_MAX_WHILE_SLOW = 3
/**
 * Names that are known to hang as they begin share one thread, so that the other one is free for those that answer. Names
 * that turn out to hang as they run may hold all three.
 */
const SLOW_RUNNING_MAX = 1
const SLOW_MS = 1000
/** After this long a name's last good addresses are taken instead: less than any connect timeout. */
const LAST_GOOD_AFTER_MS = 250
/** A name never resolved is waited for this long. */
const WAIT_MS_MAX = 5000
/** Names remembered; the oldest idle ones are forgotten beyond that. A cluster has at most nine nodes. */
const NAMES_MAX = 256

const LOOPBACK: readonly LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 },
]

/**
 * Names to addresses, so that one name whose lookup hangs stops nothing else: one lookup per name at a time, however often
 * it is dialled; a bound on all together; and the last good addresses while a lookup hangs or fails
 * (docs/decisions/own-dial.md).
 */
export class AddressLookup {
  private readonly resolve: ResolveName
  private readonly names = new Map<string, KnownName>()
  private readonly queue: KnownName[] = []
  private running = 0

  /** `resolve`: default getaddrinfo, which knows the hosts file and whatever else the system is told. */
  constructor(resolve: ResolveName = resolveBySystem) {
    this.resolve = resolve
  }

  /** Calls back once, later, with at least one address or an error; not after `cancel`. `localhost` needs no lookup. */
  addresses(name: string, done: Waiting['done']): { cancel(): void } {
    const known = name === 'localhost' ? null : this.known(name)
    const waiting: Waiting = {
      done,
      timer: setTimeout(() => this.late(known, waiting), delayOf(known)),
    }
    if (known === null) return { cancel: () => clearTimeout(waiting.timer) }
    known.waiting.add(waiting)
    if (known.state === 'idle') {
      known.state = 'queued'
      this.queue.push(known)
      this.startNext()
    }
    return {
      cancel: () => {
        clearTimeout(waiting.timer)
        known.waiting.delete(waiting)
      },
    }
  }

  /** The lookup goes on; whoever waits for it is answered without it. */
  private late(known: KnownName | null, waiting: Waiting): void {
    known?.waiting.delete(waiting)
    const addresses = known === null ? LOOPBACK : known.lastGood
    if (addresses !== null) waiting.done(null, [...addresses])
    else waiting.done(new Error(`the lookup of ${known?.name} has not ended within ${WAIT_MS_MAX} ms`), [])
  }

  private known(name: string): KnownName {
    const found = this.names.get(name)
    if (found !== undefined) return found
    const made: KnownName = { name, waiting: new Set(), state: 'idle', lastGood: null, slow: false }
    for (const [other, { state }] of this.names) {
      if (this.names.size < NAMES_MAX) break
      if (state === 'idle') this.names.delete(other)
    }
    this.names.set(name, made)
    return made
  }

  private startNext(): void {
    for (;;) {
      const at = this.queue.findIndex((known) => this.mayStart(known))
      const [known] = at < 0 ? [] : this.queue.splice(at, 1)
      if (known === undefined) return
      if (known.waiting.size === 0) known.state = 'idle'
      else this.start(known)
    }
  }

  private mayStart({ slow }: KnownName): boolean {
    const slowRunning = [...this.names.values()].filter((other) => other.state === 'running' && other.slow).length
    if (slow) return this.running < RUNNING_MAX && slowRunning < SLOW_RUNNING_MAX
    return this.running < (slowRunning === this.running ? RUNNING_MAX_WHILE_SLOW : RUNNING_MAX)
  }

  private start(known: KnownName): void {
    known.state = 'running'
    this.running += 1
    const slow = setTimeout(() => {
      known.slow = true
      this.startNext()
    }, SLOW_MS).unref()
    const startedMs = performance.now()
    this.resolve(known.name, (error, addresses) => {
      clearTimeout(slow)
      known.slow = performance.now() - startedMs > SLOW_MS
      known.state = 'idle'
      this.running -= 1
      this.ended(known, error, addresses)
      this.startNext()
    })
  }

  private ended(known: KnownName, error: Error | null, addresses: readonly LookupAddress[]): void {
    if (error === null && addresses.length > 0) known.lastGood = addresses
    const found = known.lastGood
    const failed = error ?? new Error(`${known.name} has no address`)
    for (const waiting of [...known.waiting]) {
      clearTimeout(waiting.timer)
      known.waiting.delete(waiting)
      if (found === null) waiting.done(failed, [])
      else waiting.done(null, [...found])
    }
  }
}

/** Shared by everything that this process dials: the bound is on the process's threads. */
export const systemLookup = new AddressLookup()

function resolveBySystem(name: string, done: Parameters<ResolveName>[1]): void {
  getaddrinfo(name, { all: true, verbatim: true }, (error, addresses) => done(error, addresses ?? []))
}

function delayOf(known: KnownName | null): number {
  if (known === null) return 0
  return known.lastGood === null ? WAIT_MS_MAX : LAST_GOOD_AFTER_MS
}
