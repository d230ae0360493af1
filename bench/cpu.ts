import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { LocalCluster } from '../src/cli/cluster/local-cluster.ts'

/** Processor time that processes have used, user and system. */
export class CpuMeter {
  private readonly pids: readonly number[]
  private readonly startedMicros: number

  /** `pids`: other processes; this one is counted too. */
  constructor(pids: readonly number[]) {
    this.pids = pids
    this.startedMicros = this.usedMicros()
  }

  /** Since the meter was made, over all processes; null where the system does not tell about others. */
  microsSince(): number | null {
    return Number.isNaN(this.startedMicros) ? null : this.usedMicros() - this.startedMicros
  }

  private usedMicros(): number {
    const own = process.cpuUsage()
    return this.pids.reduce((sum, pid) => sum + processMicros(pid), own.user + own.system)
  }
}

let ticksPerSecond: number | null = null

/** Processor time that another process has used so far. Linux alone has /proc; elsewhere NaN. */
export function processMicros(pid: number): number {
  try {
    ticksPerSecond ??= clockTicks()
    // The name in parentheses may hold spaces: fields are counted from behind it. utime and stime are 14 and 15.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / ticksPerSecond
  } catch {
    return Number.NaN
  }
}

/** One decimal; null where the system does not tell or nothing was done. */
export function perCommand(micros: number | null, commands: number): number | null {
  return micros === null || commands === 0 ? null : Math.round((micros / commands) * 10) / 10
}

function clockTicks(): number {
  try {
    return Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' })) || 100
  } catch {
    return 100
  }
}

/** The processes of a cluster's nodes, of those that run. */
export function pidsOf(cluster: LocalCluster): number[] {
  return cluster.members.flatMap((member) => cluster.process(member.id)?.pid ?? [])
}
