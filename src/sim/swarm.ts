import type { Random } from '../base/random.ts'
import { DEFAULT_LIMITS } from '../codec/entry/default-limits.ts'
import { SERVER_REQUEST_CREDIT } from '../protocol/limits.ts'
import type { LeaseTerms } from '../raft/types.ts'
import type { NetworkWeather } from './world/simulated-network.ts'
import type { DiskWeather } from './world/simulated-disk.ts'

/** One seed's world (faults.md §1): every seed draws its own, many faults off. Times in microseconds unless named ms. */
export interface Swarm {
  readonly nodes: 1 | 3 | 5
  readonly clients: number
  readonly commandsPerClient: number
  /** Commands a client keeps in flight. */
  readonly pipeline: number
  readonly network: NetworkWeather
  readonly disks: readonly DiskWeather[]
  readonly clocks: readonly { readonly ratePpm: number; readonly wallOffsetMs: number }[]
  /** Mean time between faults of each kind; 0: none of that kind. */
  readonly crashEvery: number
  readonly powerLoss: boolean
  /** All nodes at once now and then. */
  readonly blackout: boolean
  readonly partitionEvery: number
  readonly faultMicros: number
  /** Record bytes between snapshot boundaries. */
  readonly snapshotBytes: number
  readonly segmentBytes: number
  /** Leave a random minority broken at the end. */
  readonly minorityStaysDown: boolean
  readonly requests: RequestWeather
  /** Leaders are struck at chosen moments. */
  readonly hunt: boolean
  /** How often one node is away for so long that the log goes past it; 0: never. */
  readonly absences: number
  /** Entries in one AppendEntries; null: the default. */
  readonly appendEntriesMax: number | null
}

/** How server requests fare: what the log does about one that is not acknowledged, and how clients handle them. */
export interface RequestWeather {
  /** First and longest wait for an ack, by the limits of the cluster. */
  readonly ackTimeoutMs: number
  readonly ackTimeoutMaxMs: number
  /** Requests that may be under way to a session beyond its last ack. */
  readonly credit: number
  /** Strokes of the bell per client, each emitted to every session. */
  readonly ringsPerClient: number
  /** Chance that a request is dealt with late, by up to `lateMicros`. */
  readonly late: number
  readonly lateMicros: number
  /** Chance that a handler of the SDK's fails. */
  readonly failure: number
  /** Chance that a client of its own protocol hangs up after a request, and attaches again. */
  readonly hangUp: number
}

const MILLISECOND = 1000
const SECOND = 1_000_000
/** No clock goes further from true time than that. */
const CLOCK_DRIFT_PERMILLE = 100

/** Draws a world from generators of its own; a dimension that came later has another, so that it shifts no other draw. */
export function drawSwarm(generator: (dimension: 'swarm' | 'requests' | 'hunts' | 'absences') => Random): Swarm {
  const random = generator('swarm')
  const nodes = random.pick([1, 3, 3, 3, 5] as const)
  const calm = random.chance(0.1)
  return {
    nodes,
    clients: random.between(1, 6),
    commandsPerClient: random.between(5, 30),
    pipeline: random.pick([1, 1, 4, 16]),
    network: drawNetwork(random, calm),
    disks: Array.from({ length: nodes }, () => drawDisk(random)),
    clocks: Array.from({ length: nodes }, () => ({
      ratePpm: random.chance(0.7) ? 1_000_000 : random.between(900_000, 1_100_000),
      wallOffsetMs: random.chance(0.7) ? 0 : random.between(-600_000, 600_000),
    })),
    crashEvery: calm || random.chance(0.2) ? 0 : random.between(300, 3000) * MILLISECOND,
    powerLoss: random.chance(0.7),
    blackout: random.chance(0.3),
    partitionEvery: calm || random.chance(0.4) ? 0 : random.between(300, 3000) * MILLISECOND,
    faultMicros: random.between(3, 8) * SECOND,
    ...drawLog(random, generator('absences'), nodes),
    minorityStaysDown: random.chance(0.4),
    requests: drawRequests(generator('requests')),
    ...drawHunt(generator('hunts'), nodes),
  }
}

/** In a third of the worlds with several nodes the log goes fast, and now and then one of them is left behind by it. */
function drawLog(
  random: Random,
  absent: Random,
  nodes: number,
): Pick<Swarm, 'snapshotBytes' | 'segmentBytes' | 'absences'> {
  const snapshotBytes = random.pick([2_000, 20_000, 1_000_000])
  const segmentBytes = random.pick([16_384, 65_536, 262_144])
  if (nodes === 1 || !absent.chance(1 / 3)) return { snapshotBytes, segmentBytes, absences: 0 }
  return { snapshotBytes: absent.pick([500, 1_000, 2_000]), segmentBytes: 4_096, absences: absent.between(1, 3) }
}

/** In one world of four leaders answer reads by leases, as short as clocks that differ allow, or longer than an election. */
export function drawLeases(random: Random): LeaseTerms | null {
  if (!random.chance(0.25)) return null
  return { ms: random.pick([100, 300, 300, 700]), driftPermille: CLOCK_DRIFT_PERMILLE }
}

/** In one world of six outboxes hold so few that the oldest go; null: as many as ever. */
export function drawOutbox(random: Random): number | null {
  return random.chance(1 / 6) ? random.between(1, 6) : null
}

function drawHunt(random: Random, nodes: number): Pick<Swarm, 'hunt' | 'appendEntriesMax'> {
  const hunt = random.chance(0.2) && nodes > 1
  // One by one, a follower may hold an entry of an earlier term for a while before it gets the leader's own.
  return { hunt, appendEntriesMax: hunt && random.chance(0.6) ? 1 : null }
}

function drawRequests(random: Random): RequestWeather {
  const impatient = random.chance(0.25)
  return {
    ackTimeoutMs: impatient ? random.between(200, 1000) : DEFAULT_LIMITS.ackTimeoutMs,
    ackTimeoutMaxMs: impatient ? 2000 : DEFAULT_LIMITS.ackTimeoutMaxMs,
    credit: random.pick([2, 16, SERVER_REQUEST_CREDIT, SERVER_REQUEST_CREDIT, SERVER_REQUEST_CREDIT]),
    ringsPerClient: random.pick([0, 0, 0, 1, 2]),
    late: random.pick([0, 0.02, 0.1]),
    lateMicros: random.pick([50, 200, 1000]) * MILLISECOND,
    failure: random.pick([0, 0, 0.02]),
    hangUp: random.pick([0, 0.02, 0.1]),
  }
}

function drawNetwork(random: Random, calm: boolean): NetworkWeather {
  const base = random.between(50, 500)
  return {
    loss: calm || random.chance(0.5) ? 0 : random.between(1, 30) / 100,
    duplication: calm || random.chance(0.5) ? 0 : random.between(1, 50) / 100,
    delayMin: base,
    delayMax: base * random.pick([1, 2, 10, 40]),
    straggler: calm || random.chance(0.6) ? 0 : random.between(1, 5) / 100,
    stragglerDelay: random.between(100, 2000) * MILLISECOND,
  }
}

/** Latencies differ from node to node: uniform ones hide bugs. */
function drawDisk(random: Random): DiskWeather {
  const syncMin = random.pick([50, 200, 1000, 5000])
  return {
    operationMax: random.pick([20, 200, 2000]),
    syncMin,
    syncMax: syncMin * random.pick([1, 4, 20]),
    stallChance: random.chance(0.8) ? 0 : 0.01,
    stall: random.between(50, 800) * MILLISECOND,
  }
}
