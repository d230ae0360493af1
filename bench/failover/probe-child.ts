import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A load in a process of its own, so that nothing else on its loop makes it late: told `Order`s, of which the last ends it. */
export class ProbeChild<Order extends object, Report> {
  private readonly child: ChildProcess
  private readonly ended: Promise<never>

  /** Runs that compiled module with these arguments; `through`: program and arguments that become the process. */
  constructor(module: string, parameters: readonly string[], through: readonly string[] = []) {
    const [execPath = process.execPath, ...before] = [...through, process.execPath]
    this.child = fork(module, [...parameters], { execPath, execArgv: before })
    this.ended = once(this.child, 'exit').then(([code]) => {
      throw new Error(`the probe ended with code ${String(code)}`)
    })
    // Whoever waits for a report hears of it; at its end nobody does.
    this.ended.catch(() => undefined)
  }

  /** The next report; rejects where the process ends before it. */
  heard(): Promise<Report> {
    return Promise.race([
      new Promise<Report>((resolve) => this.child.once('message', (report) => resolve(report as Report))),
      this.ended,
    ])
  }

  /** The report that answers an order. */
  ask(order: Order): Promise<Report> {
    const report = this.heard()
    this.child.send(order)
    return report
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  /** Ends the process by that order, or by force where it hears none. */
  async end(order: Order): Promise<void> {
    if (this.child.exitCode !== null) return
    const exited = once(this.child, 'exit')
    if (this.child.connected) this.child.send(order)
    else this.child.kill('SIGKILL')
    await exited
  }
}
