import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { packageFacts } from '../../src/cli/package-root.ts'
import { printJson, say, withCommas } from '../../src/cli/terminal/output.ts'
import { fileBytes } from '../../src/host/backup/backup-files.ts'
import { replayBackup } from '../../src/host/backup/replay-backup.ts'
import { PRODUCT_MACHINES } from '../../src/machines/product-machines.ts'
import { agreement, leaderOf } from '../agreement.ts'
import { fillRegisters } from '../load/fill-registers.ts'
import { machineFacts } from '../load/machine-facts.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { Resident } from './resident.ts'

export interface BackupFlags {
  readonly json: boolean
  /** Values of the state, GiB. */
  readonly gib: number
}

const VALUE_BYTES = 4096
const GROWTH_BYTES_MAX = 64 * 1024 * 1024
const MIB = 1024 * 1024

/**
 * A backup of that much state from a follower of three, by the command line in a process of its own: its size and time, how
 * much node and client grew, and whether its history makes the state that the node had. True when neither grew by more than
 * 64 MiB.
 */
export async function backup({ json, gib }: BackupFlags): Promise<boolean> {
  if (!existsSync('/proc/self/status')) return skipped(json)
  return inScratch(async (directory, ended) => {
    const cluster = await LocalCluster.start({ nodes: 3, directory: join(directory, 'cluster'), signal: ended })
    const file = join(directory, 'backup')
    const made = await whileStarted(cluster, ended, async () => {
      const { id: leader } = await leaderOf(cluster)
      const count = Math.ceil((gib * 1024 * MIB) / VALUE_BYTES)
      const { perSecond } = await fillRegisters(cluster.endpoints, { count, valueBytes: VALUE_BYTES, mark: 'b' })
      say(`${withCommas(count)} rows of ${VALUE_BYTES} bytes, written at ${withCommas(perSecond)}/s`)
      await agreement(cluster.endpoints)
      const at = cluster.members.findIndex(({ id }) => id !== leader)
      const member = cluster.members[at]
      const pid = member === undefined ? -1 : (cluster.process(member.id)?.pid ?? -1)
      return create(file, cluster.endpoints[at] ?? '', pid)
    })
    const { size } = await stat(file)
    const begunAt = performance.now()
    const report = await replayBackup(() => fileBytes(file), PRODUCT_MACHINES, null)
    const equal = report.differsAt === null && report.halted === null && report.compared > 0
    const growth = { nodeGrowthBytes: made.node, clientGrowthBytes: made.client }
    const result = {
      gib,
      bytes: size,
      seconds: made.seconds,
      ...growth,
      equal,
      replaySeconds: (performance.now() - begunAt) / 1000,
    }
    say(
      `${withCommas(size)} bytes in ${made.seconds.toFixed(1)} s, ${(size / MIB / made.seconds).toFixed(0)} MiB/s; ` +
        `the node grew by ${(made.node / MIB).toFixed(1)} MiB, the client by ${(made.client / MIB).toFixed(1)} MiB; ` +
        `its history makes ${equal ? 'the same state' : 'ANOTHER STATE'}`,
    )
    if (json) printJson({ ...result, machine: machineFacts() })
    return equal && made.node <= GROWTH_BYTES_MAX && made.client <= GROWTH_BYTES_MAX
  })
}

/** The command, and what both sides grew by from its first word on. */
async function create(
  file: string,
  endpoint: string,
  pid: number,
): Promise<{ seconds: number; node: number; client: number }> {
  const executable = join(packageFacts().root, 'dist/src/cli/main.js')
  const node = new Resident(pid)
  const begunAt = performance.now()
  const words = ['backup', 'create', file, '--endpoints', endpoint]
  const child = spawn(process.execPath, [executable, ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  let client: Resident | null = null
  let said = ''
  child.stderr.on('data', (text: Buffer) => {
    said += String(text)
    client ??= new Resident(child.pid ?? -1)
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  const seconds = (performance.now() - begunAt) / 1000
  const grown = (client as Resident | null)?.end() ?? 0
  const nodeGrown = node.end()
  if (code !== 0) throw new Error(`the backup ended with ${String(code)}: ${said}`)
  return { seconds, node: nodeGrown, client: grown }
}

function skipped(json: boolean): boolean {
  const reason = 'this system has no /proc that tells how much memory a process has'
  if (json) printJson({ skipped: reason })
  else say(`skipped: ${reason}`)
  return true
}
