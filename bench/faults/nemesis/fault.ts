import type { Random } from '../../../src/base/random.ts'
import type { FaultWorld } from '../world/fault-world.ts'
import type { NodePlace } from '../world/node-seat.ts'
import type { Resources } from '../world/resources.ts'
import type { Tool } from '../world/tools.ts'

/** Where faults happen, and for how long. */
export interface Scene {
  readonly world: FaultWorld
  readonly random: Random
  /** How long a fault lasts. */
  readonly holdMs: number
  readonly resources: Resources
  say(line: string): void
  /** What a fault had ended is started from now on: the first answer after it counts from here. */
  starting(): void
  /** Place of whoever leads now; waits for one. */
  leader(): Promise<number>
  /** Of one that does not lead. */
  follower(): Promise<number>
  /** The leader hands its office over to whomever it likes. */
  transfer(): Promise<void>
  /** The node at `at`, whose disk was emptied, becomes a member in the place of itself. */
  replace(at: number): Promise<void>
  /** The node at `at` is no member any more. */
  remove(at: number): Promise<void>
  /** The node at `at`, which is no member and whose disk was emptied, becomes one again. */
  add(at: number): Promise<void>
  /** Where a node keeps its log. */
  logOf(place: NodePlace): string
  /** Until every node runs, and all agree on what was committed then; throws DivergenceError where they cannot. */
  agreed(): Promise<void>
  /** Waits; rejects when the run is told to end. */
  wait(ms: number): Promise<void>
}

/** Something that goes wrong, and is over again when `run` resolves. What it leaves down the nemesis starts again. */
export interface Fault {
  readonly name: string
  /** What it does, as a clause. */
  readonly says: string
  readonly needs: readonly Tool[]
  run(scene: Scene): Promise<void>
}
