import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProbeOrder, ProbeReport } from './probe.ts'
import { ProbeChild } from './probe-child.ts'

const LOOK_AGAIN_MS = 20
/** A gap that lasts longer ends the measurement. */
const GAP_MS_MAX = 30_000

/** The open-loop writer of the bench, in a process of its own. */
export class ProbeProcess {
  /** As of the last report. */
  acknowledged = 0
  failed = 0
  private readonly child: ProbeChild<ProbeOrder, ProbeReport>

  private constructor(kind: 'holdfast' | 'etcd', endpoints: readonly string[], through: readonly string[]) {
    this.child = new ProbeChild(join(import.meta.dirname, 'probe.js'), [kind, ...endpoints], through)
  }

  /** `through`: program and arguments that become its process. */
  static async start(
    kind: 'holdfast' | 'etcd',
    endpoints: readonly string[],
    through: readonly string[] = [],
  ): Promise<ProbeProcess> {
    const probe = new ProbeProcess(kind, endpoints, through)
    probe.took(await probe.child.heard())
    return probe
  }

  get pid(): number {
    return this.child.pid
  }

  /** From now on the longest gap counts. */
  async mark(): Promise<void> {
    await this.ask({ kind: 'mark' })
  }

  /** The longest gap since `mark`, ms; null: it is not over. */
  async gap(): Promise<number | null> {
    return (await this.ask({ kind: 'gap' })).gapMs
  }

  /** The longest gap that `fault` leads to, ms; looked at from the moment at which writes are acknowledged again. */
  async gapOf(fault: () => void | Promise<unknown>, atLeastMs: number): Promise<number> {
    await this.ask({ kind: 'mark' })
    const began = performance.now()
    const over = fault()
    await pause(atLeastMs)
    for (;;) {
      const { gapMs } = await this.ask({ kind: 'gap' })
      if (gapMs !== null) {
        await over
        return gapMs
      }
      if (performance.now() - began > GAP_MS_MAX) throw new Error(`no write was acknowledged for ${GAP_MS_MAX} ms`)
      await pause(LOOK_AGAIN_MS)
    }
  }

  end(): Promise<void> {
    return this.child.end({ kind: 'end' })
  }

  private async ask(order: ProbeOrder): Promise<ProbeReport> {
    return this.took(await this.child.ask(order))
  }

  private took(report: ProbeReport): ProbeReport {
    this.acknowledged = report.acknowledged
    this.failed = report.failed
    return report
  }
}
