import { encodeValue } from '../../src/client/index.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'
import type { Lanes } from '../closed-loop.ts'
import { idOf, ORDERS_PER_OWNER, ownerOf } from './orders-module.ts'

const REQUEST_MS_MAX = 120_000
const SESSION_TIMEOUT_MS = 60_000
/** Rows that one command fills in. */
const FILL_ROWS = 1000

/** The machine with an index, and the one without. */
export type OrderMachine = 'plain' | 'indexed'
/** What a write does: a new row, a row with another owner, a row whose indexed fields stay. */
export type OrderWrite = 'insert' | 'move' | 'touch'

/** How a query finds its rows. */
export type LookupKind = 'index' | 'key'

/** Rows that both machines were filled with, and the owners among whom they are spread. */
export interface Filled {
  readonly rows: number
  readonly owners: number
}

/** Sessions with one command in flight each, for all measurements. */
export class OrderSessions {
  private readonly hub: MultiSession
  private readonly cores: readonly SessionCore[]
  /** Ids of new rows rise behind those that were filled in. */
  private next: number
  readonly filled: Filled

  private constructor(hub: MultiSession, cores: readonly SessionCore[], filled: Filled) {
    this.hub = hub
    this.cores = cores
    this.filled = filled
    this.next = filled.rows
  }

  static async open(hub: MultiSession, count: number, filled: Filled): Promise<OrderSessions> {
    const open = (_: unknown, lane: number): Promise<SessionCore> =>
      openBenchSession(hub, { principal: `user:bench-${lane}`, timeoutMs: SESSION_TIMEOUT_MS })
    return new OrderSessions(hub, await Promise.all(Array.from({ length: count }, open)), filled)
  }

  /** Fills a machine's table; rejects when a command fails. */
  async fill(machine: OrderMachine): Promise<void> {
    const { rows, owners } = this.filled
    let from = 0
    const lane = async (core: SessionCore): Promise<void> => {
      while (from < rows) {
        const input = encodeValue({ from, count: Math.min(FILL_ROWS, rows - from), owners })
        from += FILL_ROWS
        if (!(await this.execute(core, machine, 'fill', input))) throw new Error(`${machine} was not filled`)
      }
    }
    await Promise.all(this.cores.slice(0, 4).map(lane))
  }

  /** Writes of one kind, each of a row of its own: a new one, or one of those that were filled in, drawn at random. */
  writes(machine: OrderMachine, write: OrderWrite): Lanes {
    const { rows, owners } = this.filled
    return {
      count: this.cores.length,
      send: (lane, done) => {
        const core = this.cores[lane]
        if (core === undefined) throw new Error(`there is no lane ${lane}`)
        const id = idOf(write === 'insert' ? this.next : draw(rows))
        if (write === 'insert') this.next += 1
        const input = encodeValue({ id, owner: ownerOf(draw(owners), owners), at: draw(rows) })
        this.execute(core, machine, write, input).then(done, () => done(false))
      },
    }
  }

  /**
   * Linearizable queries for 20 rows, one in flight per lane, drawn at random: by `index` the newest orders of an owner, by
   * `key` neighbours in the table. They differ in how the rows are found, and in nothing else.
   */
  lookups(by: LookupKind, count: number): Lanes {
    const { rows, owners } = this.filled
    const query = by === 'index' ? 'of' : 'from'
    return {
      count,
      send: (_lane, done) => {
        const asked = by === 'index' ? { owner: ownerOf(draw(owners), owners) } : { id: idOf(draw(rows)) }
        const input = encodeValue({ ...asked, limit: ORDERS_PER_OWNER })
        const request = { consistency: 'linearizable', incarnation: 0, minIndex: 0, machine: 'indexed', query, input }
        this.hub.query(request as Parameters<MultiSession['query']>[0], REQUEST_MS_MAX, (outcome) =>
          done(outcome.kind === 'ok'),
        )
      },
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.cores.map((core) => new Promise((resolve) => core.closeSession(resolve))))
  }

  private execute(core: SessionCore, machine: OrderMachine, command: string, input: Uint8Array): Promise<boolean> {
    const deadlineAt = this.hub.environment.clock.nowMs() + REQUEST_MS_MAX
    return new Promise((resolve) => {
      core.enqueue({ machine, command, input }, deadlineAt, (outcome) => resolve(outcome.kind === 'ok'))
    })
  }
}

const draw = (below: number): number => Math.floor(Math.random() * below)
