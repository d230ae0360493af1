import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { packageFacts } from '../../src/cli/package-root.ts'

/** What a node's loop did since it was asked last; ms. */
export interface Turns {
  /** Most processor time of its thread in one turn, collections of garbage among it; null where the system does not tell. */
  readonly longestMs: number | null
  /** The same of turns without a collection, and at least that of those below 5 ms. */
  readonly longestWithoutCollectionMs: number | null
  /** Turns that took more than 10 ms of processor time. */
  readonly over10Ms: number
  /** By the clock. */
  readonly longestCollectionMs: number
  /** How late the loop was, by the clock. */
  readonly delayP99Ms: number
  readonly delayMaxMs: number
  readonly rssBytes: number
}

export const METER_SIGNAL = 'SIGUSR2'
export const METER_TEXT = 'bench turns: '

/** Asks the nodes of a cluster what their loops did: give `nodeArguments` and `onLine` to its start. */
export class TurnMeters {
  // A compiled file, also when this one runs uncompiled.
  readonly nodeArguments = (): readonly string[] => [
    '--import',
    pathToFileURL(join(packageFacts().root, 'dist', 'bench', 'turns', 'turn-meter.js')).href,
  ]
  private readonly waiting = new Map<string, (turns: Turns) => void>()

  /** True: the line was a meter's. */
  readonly onLine = (id: string, line: string): boolean => {
    if (!line.startsWith(METER_TEXT)) return false
    this.waiting.get(id)?.(JSON.parse(line.slice(METER_TEXT.length)) as Turns)
    this.waiting.delete(id)
    return true
  }

  /** Of every node that runs, since it was asked last. */
  take(cluster: LocalCluster): Promise<Turns[]> {
    return Promise.all(
      cluster.members.flatMap(({ id }) => {
        const pid = cluster.process(id)?.pid
        if (pid === undefined) return []
        return [
          new Promise<Turns>((resolve) => {
            this.waiting.set(id, resolve)
            process.kill(pid, METER_SIGNAL)
          }),
        ]
      }),
    )
  }
}
