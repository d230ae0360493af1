import postgres from 'postgres'
import { type AnyStateMachine, createActor, type Snapshot } from 'xstate'
import type { Lanes } from '../closed-loop.ts'
import type { Postgres } from './postgres.ts'

type Connection = postgres.Sql

/** `statements`: each waits for the one before. `pipelined`: two trips, begin with select, update with commit. */
export type ChartForm = 'statements' | 'pipelined'

interface ChartRow {
  readonly snapshot: string
}

/**
 * Instances of a chart as one would keep them without us: a Node program holds each as the text of its persisted snapshot in a
 * row, and takes an event in one transaction: lock and read the row, restore an actor, send, write what it is now. Statements
 * are prepared once per connection. Timers are in this process alone: what would make them durable is not measured.
 */
export class PersistedCharts {
  private readonly connections: readonly Connection[]
  private readonly machine: AnyStateMachine
  private readonly form: ChartForm
  private readonly free: Connection[]
  private readonly waiting: ((connection: Connection) => void)[] = []

  private constructor(connections: readonly Connection[], machine: AnyStateMachine, form: ChartForm) {
    this.connections = connections
    this.free = [...connections]
    this.machine = machine
    this.form = form
  }

  /** So many connections, each of which sends what it is given in order, and does not wait between statements. */
  static async open(
    server: Postgres,
    machine: AnyStateMachine,
    { connections, form }: { readonly connections: number; readonly form: ChartForm },
  ): Promise<PersistedCharts> {
    const { host, user, database } = server.address
    const options = { host, user, database, max: 1, max_lifetime: null, fetch_types: false, onnotice: () => undefined }
    const free = Array.from({ length: connections }, () => postgres(options))
    await Promise.all(free.map((connection) => connection`SELECT 1`))
    return new PersistedCharts(free, machine, form)
  }

  /** An empty table with these instances. */
  async begin(instances: readonly { readonly id: string; readonly input: unknown }[]): Promise<void> {
    await this.with(async (sql) => {
      await sql`DROP TABLE IF EXISTS chart`
      // Room in each page for the row's next version: updates need no new index entry.
      await sql`CREATE TABLE chart (id text PRIMARY KEY, snapshot text NOT NULL) WITH (fillfactor = 50)`
      for (const { id, input } of instances) {
        const actor = createActor(this.machine, { input }).start()
        const snapshot = JSON.stringify(actor.getPersistedSnapshot())
        actor.stop()
        await sql`INSERT INTO chart (id, snapshot) VALUES (${id}, ${snapshot})`
      }
    })
  }

  /** One event to one instance, in one transaction. Rejects, and changes nothing, when a statement fails. */
  send(id: string, event: { readonly type: string; readonly now: number }): Promise<void> {
    return this.with(async (sql) => {
      try {
        await (this.form === 'pipelined' ? this.inTwoTrips(sql, id, event) : this.inFourTrips(sql, id, event))
      } catch (error) {
        await sql`ROLLBACK`
        throw error
      }
    })
  }

  /** So many lanes, each of which sends `type` to an instance of its own. */
  lanes(count: number, idOf: (lane: number) => string, type: string): Lanes {
    return {
      count,
      send: (lane, done) => {
        this.send(idOf(lane), { type, now: Date.now() }).then(
          () => done(true),
          () => done(false),
        )
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.end()))
  }

  private async inFourTrips(sql: Connection, id: string, event: { readonly type: string }): Promise<void> {
    await sql`BEGIN`
    const [row] = await sql<ChartRow[]>`SELECT snapshot FROM chart WHERE id = ${id} FOR UPDATE`
    await sql`UPDATE chart SET snapshot = ${this.step(row, event)} WHERE id = ${id}`
    await sql`COMMIT`
  }

  private async inTwoTrips(sql: Connection, id: string, event: { readonly type: string }): Promise<void> {
    const [, [row]] = await Promise.all([
      sql`BEGIN`,
      sql<ChartRow[]>`SELECT snapshot FROM chart WHERE id = ${id} FOR UPDATE`,
    ])
    await Promise.all([sql`UPDATE chart SET snapshot = ${this.step(row, event)} WHERE id = ${id}`, sql`COMMIT`])
  }

  private step(row: ChartRow | undefined, event: { readonly type: string }): string {
    if (row === undefined) throw new Error('there is no such instance')
    const snapshot: Snapshot<unknown> = JSON.parse(row.snapshot)
    const actor = createActor(this.machine, { snapshot }).start()
    actor.send(event)
    const after = JSON.stringify(actor.getPersistedSnapshot())
    // Else its timers would keep it.
    actor.stop()
    return after
  }

  private async with<Result>(work: (connection: Connection) => Promise<Result>): Promise<Result> {
    const connection = this.free.pop() ?? (await new Promise<Connection>((resolve) => this.waiting.push(resolve)))
    try {
      return await work(connection)
    } finally {
      const next = this.waiting.shift()
      if (next === undefined) this.free.push(connection)
      else next(connection)
    }
  }
}
