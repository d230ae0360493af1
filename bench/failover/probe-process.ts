import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { ProbeOrder, ProbeReport } from './probe.ts'

const LOOK_AGAIN_MS = 20
/** A gap that lasts longer ends the measurement. */
const GAP_MS_MAX = 30_000

/** The open-loop writer of the bench, in a process of its own. */
export class ProbeProcess {
  /** As of the last report. */
  acknowledged = 0
  failed = 0
  private readonly child: ChildProcess
  private readonly ended: Promise<never>

  private constructor(child: ChildProcess) {
    this.child = child
    this.ended = once(child, 'exit').then(([code]) => {
      throw new Error(`the probe ended with code ${String(code)}`)
    })
    // Whoever waits for a report hears of it; at its end nobody does.
    this.ended.catch(() => undefined)
  }

  static async start(kind: 'holdfast' | 'etcd', endpoints: readonly string[]): Promise<ProbeProcess> {
    const probe = new ProbeProcess(fork(join(import.meta.dirname, 'probe.js'), [kind, ...endpoints]))
    await probe.heard()
    return probe
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

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return
    const exited = once(this.child, 'exit')
    if (this.child.connected) this.child.send({ kind: 'end' } satisfies ProbeOrder)
    else this.child.kill('SIGKILL')
    await exited
  }

  private ask(order: ProbeOrder): Promise<ProbeReport> {
    const report = this.heard()
    this.child.send(order)
    return report
  }

  private async heard(): Promise<ProbeReport> {
    const report = await Promise.race([this.message(), this.ended])
    this.acknowledged = report.acknowledged
    this.failed = report.failed
    return report
  }

  private message(): Promise<ProbeReport> {
    return new Promise((resolve) => this.child.once('message', (report) => resolve(report as ProbeReport)))
  }
}
