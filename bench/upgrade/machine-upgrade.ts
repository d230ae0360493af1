import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts'
import { printJson, say } from '../../src/cli/terminal/output.ts'
import { inScratch, whileStarted } from '../scratch.ts'
import { upgradeAll, versionEverywhere } from './rolling-upgrade.ts'
import { TallyLoad } from './tally-load.ts'
import { writeTallyModule } from './tally-module.ts'

export interface MachineUpgradeFlags {
  readonly json: boolean
  /** Commands a second over all sessions. */
  readonly rate: number
  readonly sessions: number
}

/** Before the first restart and after the switch: the load runs, and the code of the nodes is compiled. */
const STEADY_MS = 3_000

/**
 * A rolling upgrade of a machine under load: three processes run version 1, each is stopped in order and started with a
 * module that carries versions 1 and 2, until the log switches by itself. True when every outcome was ok, version 2 has
 * answered, and the machine has counted each command once.
 */
export async function machineUpgrade(flags: MachineUpgradeFlags): Promise<boolean> {
  return inScratch(async (directory, ended) => {
    const path = join(directory, 'machines.mjs')
    writeTallyModule(path, 'old')
    const start = { nodes: 3, directory: join(directory, 'cluster'), machines: path, signal: ended }
    return whileStarted(await LocalCluster.start(start), ended, (cluster) => onCluster(cluster, path, flags))
  })
}

async function onCluster(cluster: LocalCluster, path: string, flags: MachineUpgradeFlags): Promise<boolean> {
  const { json, rate, sessions } = flags
  const load = await TallyLoad.open({ endpoints: cluster.endpoints, sessions, perSecond: rate })
  load.start()
  await pause(STEADY_MS)
  const steadyGapMs = load.counts.maxGapMs
  const beganAt = performance.now()
  const since = (): number => Math.round(performance.now() - beganAt)
  await upgradeAll(cluster, path, (line) => say(`${since()} ms: ${line}`))
  await versionEverywhere(cluster, 2)
  const upgradeMs = since()
  say(`version 2 is active after ${upgradeMs} ms`)
  await pause(STEADY_MS)
  await load.stop()
  const mistakes = await load.mistakes()
  const { commands, bySecond, errors, maxGapMs } = load.counts
  const failed = Object.values(errors).reduce((sum, count) => sum + count, 0)
  await load.close()
  const result = { commands, errors: failed, maxGapMs, steadyGapMs, upgradeMs, bySecond, rate, sessions, mistakes }
  if (json) printJson({ ...result, codes: errors, load: Math.round((loadavg()[0] ?? 0) * 10) / 10 })
  else
    say(
      `${commands} commands, ${failed} errors ${JSON.stringify(errors)}, longest gap ${maxGapMs} ms; ${bySecond} by version 2`,
    )
  for (const mistake of mistakes) say(mistake)
  return failed === 0 && mistakes.length === 0 && bySecond > 0
}
