import { z } from 'zod'
import { type ClientSession, connect } from '../../src/client/index.ts'

/** A command or query that has no answer by then has failed: longer than any restart or election of a test. */
const DEADLINE_MS = 60_000
/** How often it is looked how many commands are due. */
const STEP_MS = 5
const BY_SECOND = z.object({ count: z.int(), bySecond: z.int() })

/** What came of the commands so far. */
export interface TallyCounts {
  /** Sent, whatever became of them. */
  readonly commands: number
  /** Answered by version 2. */
  readonly bySecond: number
  /** Outcomes other than ok, by their codes. */
  readonly errors: { readonly [code: string]: number }
  /** Longest time without an answer that is ok, from the first command to the last answer. */
  readonly maxGapMs: number
}

/** One session that adds to a name of its own, and what it was answered. */
interface Lane {
  readonly name: string
  readonly session: ClientSession
  /** Totals that were answered: each of them once, if each command was counted once. */
  readonly answered: Set<number>
  acknowledged: number
  bySecond: number
  /** Whether they were counted, nobody can say. */
  unknown: number
}

/**
 * An open loop: so many commands a second over all sessions in turn, whether or not the ones before are answered, as clients
 * that know nothing of each other would send them.
 */
export class TallyLoad {
  private readonly lanes: readonly Lane[]
  private readonly perSecond: number
  private readonly underWay = new Set<Promise<void>>()
  private readonly errors = new Map<string, number>()
  private commands = 0
  private startedAt = 0
  private lastAnswerAt = 0
  private maxGapMs = 0
  private timer: NodeJS.Timeout | null = null

  private constructor(lanes: readonly Lane[], perSecond: number) {
    this.lanes = lanes
    this.perSecond = perSecond
  }

  static async open(of: {
    readonly endpoints: readonly string[]
    readonly sessions: number
    readonly perSecond: number
  }): Promise<TallyLoad> {
    const { endpoints } = of
    const deadlines = { deadlineMs: DEADLINE_MS, connectDeadlineMs: DEADLINE_MS }
    const lanes = Array.from({ length: of.sessions }, async (_, at): Promise<Lane> => {
      const name = `lane-${at}`
      const session = await connect({ endpoints, principal: `user:${name}`, ...deadlines })
      return { name, session, answered: new Set(), acknowledged: 0, bySecond: 0, unknown: 0 }
    })
    return new TallyLoad(await Promise.all(lanes), of.perSecond)
  }

  start(): void {
    this.startedAt = performance.now()
    this.lastAnswerAt = this.startedAt
    this.timer = setInterval(() => this.sendDue(), STEP_MS)
  }

  /** Sends nothing more; resolves when every command has its outcome. */
  async stop(): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer)
    await Promise.all(this.underWay)
  }

  get counts(): TallyCounts {
    const bySecond = this.lanes.reduce((sum, lane) => sum + lane.bySecond, 0)
    const { commands, maxGapMs } = this
    return { commands, bySecond, errors: Object.fromEntries(this.errors), maxGapMs: Math.round(maxGapMs) }
  }

  get acknowledged(): number {
    return this.lanes.reduce((sum, lane) => sum + lane.acknowledged, 0)
  }

  /** What is wrong with what the machine holds now, a sentence each: every acknowledged command has been counted once. */
  async mistakes(): Promise<string[]> {
    return (await Promise.all(this.lanes.map((lane) => this.mistakesOf(lane)))).flat()
  }

  async close(): Promise<void> {
    await Promise.all(this.lanes.map(({ session }) => session.close()))
  }

  private sendDue(): void {
    const due = Math.floor(((performance.now() - this.startedAt) / 1000) * this.perSecond)
    while (this.commands < due) {
      const lane = this.lanes[this.commands % this.lanes.length]
      if (lane === undefined) throw new Error('a load has a session')
      this.commands += 1
      const sent = this.send(lane)
      this.underWay.add(sent)
      void sent.finally(() => this.underWay.delete(sent))
    }
  }

  private async send(lane: Lane): Promise<void> {
    const outcome = await lane.session.execute('tally', 'add', lane.name)
    if (outcome.kind !== 'ok') {
      if (outcome.kind === 'unknown') lane.unknown += 1
      this.errors.set(outcome.code, (this.errors.get(outcome.code) ?? 0) + 1)
      return
    }
    const now = performance.now()
    this.maxGapMs = Math.max(this.maxGapMs, now - this.lastAnswerAt)
    this.lastAnswerAt = now
    lane.acknowledged += 1
    if (BY_SECOND.safeParse(outcome.value).success) lane.bySecond += 1
    lane.answered.add(totalOf(outcome.value).count)
  }

  private async mistakesOf({ name, session, answered, ...lane }: Lane): Promise<string[]> {
    const { acknowledged, bySecond, unknown } = lane
    const outcome = await session.query('tally', 'total', name)
    const held = outcome.kind === 'ok' ? totalOf(outcome.value) : null
    const within = (value: number | undefined, least: number): boolean =>
      value !== undefined && value >= least && value <= least + unknown
    const right = within(held?.count, acknowledged) && within(held?.bySecond, bySecond)
    const told = `${acknowledged} (${bySecond} by version 2), and ${unknown} of unknown outcome`
    return [
      ...(right ? [] : [`${name} holds ${JSON.stringify(held ?? outcome)} after ${told}`]),
      ...(answered.size === acknowledged
        ? []
        : [`${name} was answered ${answered.size} totals for ${acknowledged} commands`]),
    ]
  }
}

/** As version 1 answers, which has added none as version 2, or version 2. */
function totalOf(value: unknown): z.infer<typeof BY_SECOND> {
  const parsed = BY_SECOND.safeParse(value)
  return parsed.success ? parsed.data : { count: Number(value), bySecond: 0 }
}
