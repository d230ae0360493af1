import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { leaderOf } from '../agreement.ts'
import { ProbeChild } from '../failover/probe-child.ts'
import { type Floor, measureFloor } from '../floor.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { type Spread, spread } from '../peers/spread.ts'
import { measureRegisters, type RegisterPoint } from '../register-load.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import type { EmbeddedOrder, EmbeddedPoint } from './embedded-child.ts'

export interface EmbeddedFlags {
  readonly json: boolean
  /** How often each of the two is measured, in turn. */
  readonly pairs: number
  /** Length of each measurement. */
  readonly seconds: number
  readonly inFlight: number
  /** Commands beforehand on either, by which a node's code is compiled as far as it ever is. */
  readonly warm: number
}

const RATIO_MIN = 1.5

interface Pair {
  readonly alone: EmbeddedPoint
  readonly cluster: RegisterPoint
}

/**
 * Register writes of one node in the process of its clients, in turn with those of three nodes over sockets. True when it does
 * at least one and a half times as many and no write failed.
 */
export async function embedded(flags: EmbeddedFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const floor = await measureFloor(directory)
    const start = { nodes: 3, directory: join(directory, 'cluster'), signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, async (cluster) => {
      await leaderOf(cluster)
      return whileStarted(await EmbeddedProcess.start(join(directory, 'alone')), ended, async (alone) => {
        const { inFlight, seconds, warm } = flags
        for (let commands = 0; commands < warm; )
          commands += (await measureRegisters(cluster, { inFlight, seconds })).commands
        for (let commands = 0; commands < warm; ) commands += (await alone.measure(inFlight, seconds)).commands
        const pairs: Pair[] = []
        for (let pair = 0; pair < flags.pairs; pair += 1)
          pairs.push(
            said({
              alone: await alone.measure(inFlight, seconds),
              cluster: await measureRegisters(cluster, { inFlight, seconds }),
            }),
          )
        return report(pairs, floor, flags)
      })
    })
  })
}

/** A process with a node in it. */
class EmbeddedProcess {
  private readonly child: ProbeChild<EmbeddedOrder, EmbeddedPoint>

  private constructor(directory: string) {
    this.child = new ProbeChild(join(import.meta.dirname, 'embedded-child.js'), [directory])
  }

  static async start(directory: string): Promise<EmbeddedProcess> {
    const started = new EmbeddedProcess(directory)
    await started.child.heard()
    return started
  }

  measure(inFlight: number, seconds: number): Promise<EmbeddedPoint> {
    return this.child.ask({ kind: 'measure', inFlight, seconds })
  }

  stop(): Promise<void> {
    return this.child.end({ kind: 'end' })
  }
}

function said(pair: Pair): Pair {
  const { alone, cluster } = pair
  say(`alone: ${withCommas(alone.commandsPerSecond)}/s; three nodes: ${withCommas(cluster.commandsPerSecond)}/s`)
  return pair
}

function report(pairs: readonly Pair[], floor: Floor, { json, inFlight }: EmbeddedFlags): boolean {
  const pointOf = (points: readonly EmbeddedPoint[]) => ({
    perSecond: spread(points.map(({ commandsPerSecond }) => commandsPerSecond)),
    p50Ms: spread(points.map(({ p50Ms }) => p50Ms)),
    p99Ms: spread(points.map(({ p99Ms }) => p99Ms)),
    cpuMicrosPerCommand: spread(points.flatMap(({ cpuMicrosPerCommand: micros }) => (micros === null ? [] : [micros]))),
  })
  const ratio: Spread = spread(
    pairs.map(({ alone, cluster }) => Math.round((alone.commandsPerSecond / cluster.commandsPerSecond) * 100) / 100),
  )
  const failures = pairs.reduce((sum, { alone, cluster }) => sum + alone.failures + cluster.failures, 0)
  const ok = failures === 0 && ratio.median >= RATIO_MIN
  const result = {
    inFlight,
    embedded: pointOf(pairs.map(({ alone }) => alone)),
    cluster: pointOf(pairs.map(({ cluster }) => cluster)),
    ratioToCluster: ratio,
    ratioMin: RATIO_MIN,
    ...{ failures, ok, floor, machine: machineFacts() },
  }
  if (json) printJson(result)
  else say(`${ratio.median} times the writes of three nodes (${ratio.min} to ${ratio.max})`)
  return ok
}
