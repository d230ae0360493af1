import { readdirSync, readFileSync } from 'node:fs'

/** Descriptors that no connection may take: log segments, files of the snapshot, dialled peers, look-ups. */
const FILES_RESERVED_MIN = 24
const FILES_RESERVED_MAX = 128
/** Of the limit, what is kept for files, within these bounds, and what serves peers and operators alone. */
const FILES_SHARE = 1 / 8
const SPECIAL_SHARE = 1 / 16
const SPECIAL_MIN = 12
/** What files can still take when they have used up their reserve: the next segment and a snapshot that is opened. */
const FILES_AHEAD = 12
/** Accepted connections after which the descriptors are counted anew. */
const COUNTED_AGAIN_AFTER = 8

/** What a connection that arrives now is given. */
export type Admission =
  /** Everything. */
  | 'all'
  /** Few descriptors are left: peers and operators are served, clients are refused by a code. */
  | 'special'
  /** The rest is for files: it is closed unheard. */
  | 'none'

/** How many descriptors this process may have, and how many it has; null where the system does not tell. */
export interface DescriptorCount {
  limit(): number | null
  /** Counting takes a descriptor itself: null where there is a limit says that none is left. */
  open(): number | null
}

/** What takes a descriptor until it has closed. */
export interface Connection {
  once(event: 'close', listener: () => void): unknown
}

/**
 * Lets connections in while descriptors are left for them. Clients alone can take all that a process may have, and then the
 * log cannot open its next segment, which ends the node. Counted are all descriptors, not only connections: log segments and
 * the rest of the process take theirs from the same limit. What files take comes out of their own reserve first: a segment
 * that is opened while the connections of clients stand at their limit must not shut operators out.
 */
export class DescriptorBudget {
  private readonly counts: DescriptorCount
  private connections = 0
  /** Descriptors that are no connections, as last counted, and the fewest there ever were: the reserve is on top of these. */
  private files = 0
  private filesFewest = Number.POSITIVE_INFINITY
  private acceptedSince = COUNTED_AGAIN_AFTER

  constructor(counts: DescriptorCount = PROCESS_DESCRIPTORS) {
    this.counts = counts
  }

  /** For one connection that was just accepted and is open. */
  admit(connection: Connection): Admission {
    const limit = this.counts.limit()
    if (limit === null) return 'all'
    this.connections += 1
    connection.once('close', () => {
      this.connections -= 1
    })
    this.acceptedSince += 1
    // While there is plenty, counting is what costs: 2 ms for 5,000 descriptors. While there is not, it is worth that.
    if (this.acceptedSince > COUNTED_AGAIN_AFTER || this.left(limit) !== 'all') this.count(limit)
    return this.left(limit)
  }

  private count(limit: number): void {
    this.files = Math.max(0, (this.counts.open() ?? limit + this.connections) - this.connections)
    this.filesFewest = Math.min(this.filesFewest, this.files)
    this.acceptedSince = 0
  }

  private left(limit: number): Admission {
    const reserve = Math.min(FILES_RESERVED_MAX, Math.max(FILES_RESERVED_MIN, Math.floor(limit * FILES_SHARE)))
    const forFiles = Math.max(this.filesFewest + reserve, this.files + FILES_AHEAD)
    const special = Math.max(SPECIAL_MIN, Math.floor(limit * SPECIAL_SHARE))
    const left = limit - this.connections - forFiles
    if (left < 0) return 'none'
    return left < special ? 'special' : 'all'
  }
}

/** Linux; on other systems nothing is known and nothing refused. Node.js has raised the soft limit to the hard one. */
const PROCESS_DESCRIPTORS: DescriptorCount = {
  limit: () => {
    processLimit ??= readLimit()
    return processLimit === 0 ? null : processLimit
  },
  open: () => {
    try {
      // The listing itself needs one.
      return readdirSync('/proc/self/fd').length
    } catch {
      return null
    }
  },
}

/** 0: unknown. */
let processLimit: number | null = null

function readLimit(): number {
  try {
    return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]) || 0
  } catch {
    return 0
  }
}
