import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Asked } from './election-figures.ts'
import type { ProbeOrder, ProbeReport } from './reads-probe.ts'

/** The load on a cluster whose leader is killed, in a process of its own. */
export class ReadsProbe {
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

  static async start(endpoints: readonly string[]): Promise<ReadsProbe> {
    const probe = new ReadsProbe(fork(join(import.meta.dirname, 'reads-probe.js'), [...endpoints]))
    await probe.heard()
    return probe
  }

  /** The load begins. */
  async begin(): Promise<void> {
    const heard = this.heard()
    this.order({ kind: 'begin' })
    await heard
  }

  /** The load ends; resolves with all that was asked since it began, once it is answered. */
  async take(): Promise<readonly Asked[]> {
    const heard = this.heard()
    this.order({ kind: 'take' })
    const report = await heard
    if (report.kind !== 'taken') throw new Error(`the probe was to tell what it asked, and says ${report.kind}`)
    return report.asked
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return
    const exited = once(this.child, 'exit')
    if (this.child.connected) this.order({ kind: 'end' })
    else this.child.kill('SIGKILL')
    await exited
  }

  private order(order: ProbeOrder): void {
    this.child.send(order)
  }

  private heard(): Promise<ProbeReport> {
    const message = new Promise<ProbeReport>((resolve) =>
      this.child.once('message', (report) => resolve(report as ProbeReport)),
    )
    return Promise.race([message, this.ended])
  }
}
