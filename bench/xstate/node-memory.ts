import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { packageFacts } from '../../src/cli/package-root.ts'

/** A compiled file of this folder, which the nodes load; also when this file itself runs uncompiled. */
export const compiled = (file: string): string => join(packageFacts().root, 'dist', 'bench', 'xstate', file)

/** What a node's process says of itself after its garbage was collected; bytes. */
export interface NodeMemory {
  readonly heapUsed: number
  readonly external: number
  readonly rss: number
  /** Longest time that its event loop was late by, since it was asked last, the collection not counted; ms. */
  readonly longestDelayMs: number
  /** Most processor time of its thread between two turns of the loop since then, ms; null where the system does not tell. */
  readonly longestWorkMs: number | null
}

export const PROBE_SIGNAL = 'SIGUSR2'
export const PROBE_TEXT = 'bench probe: '

/** Asks the processes of a cluster what their memory holds: give `nodeArguments` and `onLine` to its start. */
export class MemoryProbes {
  readonly nodeArguments = (): readonly string[] => [
    '--expose-gc',
    '--import',
    pathToFileURL(compiled('node-probe.js')).href,
  ]
  private readonly waiting = new Map<string, (memory: NodeMemory) => void>()

  readonly onLine = (id: string, line: string): void => {
    if (!line.startsWith(PROBE_TEXT)) return
    this.waiting.get(id)?.(JSON.parse(line.slice(PROBE_TEXT.length)) as NodeMemory)
    this.waiting.delete(id)
  }

  /** Of every node that runs. */
  all(cluster: LocalCluster): Promise<NodeMemory[]> {
    return Promise.all(
      cluster.members.flatMap(({ id }) => {
        const pid = cluster.process(id)?.pid
        return pid === undefined ? [] : [this.of(id, pid)]
      }),
    )
  }

  private of(id: string, pid: number): Promise<NodeMemory> {
    return new Promise((resolve) => {
      this.waiting.set(id, resolve)
      process.kill(pid, PROBE_SIGNAL)
    })
  }
}
