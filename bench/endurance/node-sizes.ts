import { readFileSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { spread } from '../peers/spread.ts'

const LOOK_AGAIN_MS = 500
const LOG_FOLDER = `${sep}log`

/** What one node took at one moment; bytes. */
interface Sample {
  readonly id: string
  /** Writes that were acknowledged by then. */
  readonly at: number
  /** Null where the system does not tell (it does on Linux), or the node was down. */
  readonly rss: number | null
  /** The whole data directory, segments that are prepared and not written yet among it. */
  readonly disk: number
  /** Of it, what is not the log. */
  readonly state: number
}

/** Looks at the memory and the data directories of a cluster's nodes, twice a second. */
export class NodeSizes {
  private readonly cluster: LocalCluster
  private readonly acknowledged: () => number
  private readonly samples: Sample[] = []
  private looking: Promise<void> | null = null
  private readonly timer: NodeJS.Timeout

  constructor(cluster: LocalCluster, acknowledged: () => number) {
    this.cluster = cluster
    this.acknowledged = acknowledged
    this.timer = setInterval(() => void this.look(), LOOK_AGAIN_MS)
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.timer)
  }

  /** One last look, and none after it. */
  async end(): Promise<void> {
    this.stop()
    await this.looking
    await this.look()
  }

  get diskBytesMax(): number {
    return Math.max(0, ...this.samples.map(({ disk }) => disk))
  }

  /** Most of any node at the end: what the bound of the disk leaves to the state. */
  get stateBytes(): number {
    const last = this.cluster.members.map(({ id }) => this.samples.findLast((sample) => sample.id === id)?.state ?? 0)
    return Math.max(0, ...last)
  }

  /** Null where the system does not tell. */
  get rssBytesMax(): number | null {
    const told = this.samples.flatMap(({ rss }) => rss ?? [])
    return told.length === 0 ? null : Math.max(...told)
  }

  /** Median of what a node took while the writes from `from` up to `to` were acknowledged; null where nothing was seen. */
  rssOf(id: string, from: number, to: number): number | null {
    const told = this.samples.flatMap((sample) =>
      sample.id === id && sample.at >= from && sample.at <= to ? (sample.rss ?? []) : [],
    )
    return told.length === 0 ? null : spread(told).median
  }

  private look(): Promise<void> {
    this.looking ??= this.lookNow().finally(() => {
      this.looking = null
    })
    return this.looking
  }

  private async lookNow(): Promise<void> {
    const at = this.acknowledged()
    for (const { id } of this.cluster.members) {
      const pid = this.cluster.process(id)?.pid
      const { disk, log } = await bytesBelow(this.cluster.dataDirectory(id))
      this.samples.push({ id, at, rss: pid === undefined ? null : rssOf(pid), disk, state: disk - log })
    }
  }
}

/** Files come and go meanwhile: what is gone counts nothing. */
async function bytesBelow(directory: string): Promise<{ disk: number; log: number }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  let disk = 0
  let log = 0
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const bytes = (await stat(join(entry.parentPath, entry.name)).catch(() => null))?.size ?? 0
    disk += bytes
    if (entry.parentPath.endsWith(LOG_FOLDER)) log += bytes
  }
  return { disk, log }
}

/** Linux alone has /proc. */
function rssOf(pid: number): number | null {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) * 1024
  } catch {
    return null
  }
}
