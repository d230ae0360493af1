import { join } from 'node:path'
import { ProbeChild } from '../failover/probe-child.ts'
import type { Asked } from './election-figures.ts'
import type { ProbeOrder, ProbeReport } from './reads-probe.ts'

/** The load on a cluster whose leader is killed, in a process of its own. */
export class ReadsProbe {
  private readonly child: ProbeChild<ProbeOrder, ProbeReport>

  private constructor(endpoints: readonly string[]) {
    this.child = new ProbeChild(join(import.meta.dirname, 'reads-probe.js'), endpoints)
  }

  static async start(endpoints: readonly string[]): Promise<ReadsProbe> {
    const probe = new ReadsProbe(endpoints)
    await probe.child.heard()
    return probe
  }

  /** The load begins. */
  async begin(): Promise<void> {
    await this.child.ask({ kind: 'begin' })
  }

  /** The load ends; resolves with all that was asked since it began, once it is answered. */
  async take(): Promise<readonly Asked[]> {
    const report = await this.child.ask({ kind: 'take' })
    if (report.kind !== 'taken') throw new Error(`the probe was to tell what it asked, and says ${report.kind}`)
    return report.asked
  }

  stop(): Promise<void> {
    return this.child.end({ kind: 'end' })
  }
}
