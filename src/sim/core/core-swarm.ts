import type { Random } from '../../base/random.ts'
import type { LeaseTerms, RaftConfig } from '../../raft/index.ts'
import type { NetworkWeather } from '../world/simulated-network.ts'

/** How long a disk takes; times in microseconds. */
export interface CoreDiskWeather {
  readonly syncMin: number
  readonly syncMax: number
  /** Chance that a sync takes `stall` longer. */
  readonly stallChance: number
  readonly stall: number
  /** Chance that a sync fails, which stops its node. */
  readonly failure: number
  /** One sync makes all writes durable that were issued before it; else one of them. */
  readonly grouped: boolean
}

/**
 * What one seed draws: who is there, and which faults are on. Every seed has many of them off, for one hides another. Times in
 * microseconds unless named ms; an interval is a mean, and 0 says never.
 */
export interface CoreSwarm {
  readonly voters: 3 | 4 | 5 | 6 | 7
  /** Nodes that are no members at first. */
  readonly spares: number
  readonly config: Omit<RaftConfig, 'self'>
  readonly network: NetworkWeather
  /** Chance that a message with several entries is sent as two. */
  readonly split: number
  readonly disks: readonly CoreDiskWeather[]
  /** How fast each node's monotonic clock goes. */
  readonly clockRates: readonly number[]
  readonly proposeEvery: number
  readonly readEvery: number
  readonly faultMicros: number
  readonly crashEvery: number
  /** All at once now and then. */
  readonly blackout: boolean
  readonly partitionEvery: number
  readonly pauseEvery: number
  /** Leaders are struck right after they have taken a command. */
  readonly hunt: number
  readonly damageEvery: number
  /** A crash is told to the others by reset connections, with that chance each. */
  readonly tellsOfGone: number
  readonly changeEvery: number
  readonly transferEvery: number
  readonly haltEvery: number
  readonly snapshotEvery: number
  readonly leases: LeaseTerms | null
  readonly minorityStaysDown: boolean
  /** A start is told by connections that open, in either direction with that chance. */
  readonly tellsOfOpen: number
}

const MILLISECOND = 1000
const SECOND = 1_000_000
/** Clocks may be wrong by that many thousandths, say the terms of leases. */
const DRIFT_PERMILLE = 100

/** Draws a world. A dimension that comes later is drawn last, so that it shifts no other. */
export function drawCoreSwarm(random: Random): CoreSwarm {
  const calm = random.chance(0.05)
  const often = (chance: number, least: number, most: number): number =>
    random.chance(chance) && !calm ? random.between(least, most) * MILLISECOND : 0
  const voters = random.pick([3, 3, 3, 3, 4, 5, 5, 6, 7] as const)
  const changeEvery = often(0.35, 500, 4000)
  const spares = changeEvery === 0 ? 0 : random.between(0, 2)
  const nodes = voters + spares
  const damageEvery = changeEvery > 0 ? 0 : often(0.2, 2000, 8000)
  return {
    voters,
    spares,
    // Who is removed campaigns on: without pre-vote and check-quorum it disturbs the others for ever (thesis §4.2.3).
    config: drawConfig(random, changeEvery === 0 && random.chance(0.15)),
    network: drawNetwork(random, calm),
    split: random.pick([0, 0, 0.1]),
    disks: Array.from({ length: nodes }, () => drawDisk(random, calm)),
    clockRates: Array.from({ length: nodes }, () => (random.chance(0.6) ? 1 : random.between(905, 1095) / 1000)),
    proposeEvery: random.pick([40, 80, 150, 400]) * MILLISECOND,
    readEvery: random.pick([0, 100, 300]) * MILLISECOND,
    faultMicros: random.between(15, 45) * SECOND,
    crashEvery: often(0.7, 500, 5000),
    blackout: random.chance(0.3),
    partitionEvery: often(0.6, 500, 5000),
    pauseEvery: often(0.4, 500, 4000),
    hunt: random.chance(0.3) && !calm ? random.pick([0.05, 0.2]) : 0,
    damageEvery,
    tellsOfGone: random.pick([0, 0.5, 1]),
    changeEvery,
    transferEvery: often(0.3, 500, 5000),
    haltEvery: often(0.15, 2000, 8000),
    snapshotEvery: often(0.5, 200, 3000),
    leases: random.chance(0.35) ? { ms: random.pick([100, 300, 300, 700]), driftPermille: DRIFT_PERMILLE } : null,
    minorityStaysDown: changeEvery === 0 && damageEvery === 0 && random.chance(0.4),
    tellsOfOpen: random.pick([0, 0.5, 1]),
  }
}

function drawConfig(random: Random, bare: boolean): CoreSwarm['config'] {
  const small = random.chance(0.4)
  return {
    heartbeatMs: random.pick([50, 50, 100]),
    electionTimeoutMinMs: 300,
    electionTimeoutMaxMs: 600,
    preVote: !bare,
    checkQuorum: !bare,
    inFlightMessagesMax: small ? 2 : 8,
    inFlightBytesMax: small ? 500 : 1 << 24,
    appendEntriesMax: small ? random.pick([1, 3]) : 8192,
    uncommittedBytesMax: random.chance(0.1) ? 2000 : 1 << 26,
    commitNewsMs: random.pick([0, 10]),
  }
}

function drawNetwork(random: Random, calm: boolean): NetworkWeather {
  const base = random.between(50, 2000)
  return {
    loss: calm || random.chance(0.5) ? 0 : random.between(1, 30) / 100,
    duplication: calm || random.chance(0.5) ? 0 : random.between(1, 30) / 100,
    delayMin: base,
    delayMax: base * random.pick([1, 2, 10, 40]),
    straggler: calm || random.chance(0.6) ? 0 : random.between(1, 5) / 100,
    stragglerDelay: random.between(100, 2000) * MILLISECOND,
  }
}

/** Latencies differ from node to node: uniform ones hide bugs. */
function drawDisk(random: Random, calm: boolean): CoreDiskWeather {
  const syncMin = random.pick([50, 200, 1000, 5000])
  return {
    syncMin,
    syncMax: syncMin * random.pick([1, 4, 20]),
    stallChance: calm || random.chance(0.8) ? 0 : 0.01,
    stall: random.between(50, 1500) * MILLISECOND,
    failure: calm || random.chance(0.8) ? 0 : 0.003,
    grouped: random.chance(0.7),
  }
}
