import { join } from 'node:path'
import type { LoopResult } from '../closed-loop.ts'
import { ProbeChild } from '../failover/probe-child.ts'
import type { DbosOrder, DbosReport } from './dbos-app.ts'
import { packagesOf } from './packages.ts'
import type { Postgres } from './postgres.ts'

/**
 * A process with DBOS in it, which is the load generator as well: no network lies between a client and it. It keeps its own
 * tables in the PostgreSQL beside those of the callbacks, whose schema is there (`prepareCallbacks`).
 */
export class Dbos {
  private readonly app: ProbeChild<DbosOrder, DbosReport>

  private constructor(app: ProbeChild<DbosOrder, DbosReport>) {
    this.app = app
  }

  /** Where its packages are; Skipped where they are not installed. */
  static find(): string {
    return packagesOf('dbos')
  }

  /** `connections`: of both its pools together. Rejects with Skipped where its packages are not installed. */
  static async start(postgres: Postgres, connections: number): Promise<Dbos> {
    const { host, user, database } = postgres.address
    const parameters = [Dbos.find(), host, user, database, String(connections)]
    const app = new ProbeChild<DbosOrder, DbosReport>(join(import.meta.dirname, 'dbos-app.js'), parameters)
    await app.heard()
    return new Dbos(app)
  }

  /** Callbacks, so many in flight, for so many seconds after a warm-up of a quarter of that. */
  async callbacks(inFlight: number, seconds: number): Promise<LoopResult> {
    const report = await this.app.ask({ inFlight, seconds })
    if ('ready' in report) throw new Error('the process of DBOS said twice that it is ready')
    return report
  }

  stop(): Promise<void> {
    return this.app.end({ end: true })
  }
}
