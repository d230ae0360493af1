import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { type ClientSession, connect } from '../../src/client/index.ts'
import { idOf } from './fill.ts'

const EVERY_MS = 50
const STATE = z.object({ value: z.unknown(), context: z.object({ sent: z.number() }) })

/** A client that looks at one instance all the time, and sends another one an event that waits for the migration. */
export class Visitor {
  private readonly session: ClientSession
  private over = false
  private looking: Promise<void> = Promise.resolve()
  private sending: Promise<void> = Promise.resolve()
  private queries = 0
  private queriesFailed = 0
  private queryMaxMs = 0
  private commandMaxMs = 0
  private commandsFailed = 0
  /** Rows of one chart, read by the code of another. */
  private mixed = 0

  private constructor(session: ClientSession) {
    this.session = session
  }

  static async open(endpoints: readonly string[]): Promise<Visitor> {
    return new Visitor(
      await connect({ endpoints, principal: 'user:visitor', deadlineMs: 120_000, connectDeadlineMs: 120_000 }),
    )
  }

  begin(): void {
    this.looking = this.look()
    this.sending = this.send()
  }

  async end(): Promise<{
    readonly queries: number
    readonly queriesFailed: number
    readonly queryMaxMs: number
    readonly commandMaxMs: number
    readonly commandsFailed: number
    readonly mixed: number
  }> {
    this.over = true
    await Promise.all([this.looking, this.sending])
    await this.session.close()
    const { queries, queriesFailed, commandsFailed, mixed } = this
    const [queryMaxMs, commandMaxMs] = [Math.round(this.queryMaxMs), Math.round(this.commandMaxMs)]
    return { queries, queriesFailed, queryMaxMs, commandMaxMs, commandsFailed, mixed }
  }

  private async look(): Promise<void> {
    while (!this.over) {
      const beganAt = performance.now()
      const outcome = await this.session.query('order', 'state', idOf(1), { consistency: 'stale' })
      this.queryMaxMs = Math.max(this.queryMaxMs, performance.now() - beganAt)
      this.queries += 1
      if (outcome.kind !== 'ok') this.queriesFailed += 1
      else if (isMixed(outcome.value)) this.mixed += 1
      await pause(EVERY_MS)
    }
  }

  private async send(): Promise<void> {
    for (let at = 2; !this.over; at += 1) {
      const beganAt = performance.now()
      const outcome = await this.session.execute('order', 'send', { id: idOf(at), event: { type: 'PAID' } })
      this.commandMaxMs = Math.max(this.commandMaxMs, performance.now() - beganAt)
      // It was parsed by the version before, and would be sent again by a client with something at stake.
      if (outcome.kind !== 'ok' && outcome.code !== 'VERSION_CHANGED') this.commandsFailed += 1
      await pause(EVERY_MS)
    }
  }
}

/** The old chart is in `waiting`, with nothing sent; the new one in `waiting.quiet`, with one. */
function isMixed(value: unknown): boolean {
  const { value: state, context } = STATE.parse(value)
  return (typeof state === 'object') !== (context.sent === 1)
}
