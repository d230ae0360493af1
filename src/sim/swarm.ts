import type { Random } from '../base/random.ts'
import type { NetworkWeather } from './simulated-network.ts'
import type { DiskWeather } from './simulated-disk.ts'

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
}

const MILLISECOND = 1000
const SECOND = 1_000_000

/** Draws a world from its own generator, so that a draw added here shifts nothing else. */
export function drawSwarm(random: Random): Swarm {
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
    snapshotBytes: random.pick([2_000, 20_000, 1_000_000]),
    segmentBytes: random.pick([16_384, 65_536, 262_144]),
    minorityStaysDown: random.chance(0.4),
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
