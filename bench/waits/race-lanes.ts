import { performance } from 'node:perf_hooks'
import { encodeValue } from '../../src/client/index.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { decodeValue } from '../../src/codec/value/decode.ts'
import { openBenchSession } from '../bench-session.ts'
import { Latencies } from '../latencies.ts'

const COMMAND_MS_MAX = 60_000
const SESSION_TIMEOUT_MS = 60_000

/** What became of the races. */
export interface RaceCounts {
  /** Waits that were told of their end in time, late ones not counted. */
  told: number
  /** Of them, those whose signal was in the log first, and was kept for them. */
  signalFirst: number
  /** Ends that were told again, or with another value than the race's, or that were no signal. */
  doubled: number
  /** Commands that were refused or failed. */
  failures: number
}

/** A race that is under way. */
interface Race {
  readonly number: number
  readonly startedAt: number
  readonly ended: () => void
  told: boolean
  answered: number
}

/**
 * Pairs of sessions: one waits for a key while the other signals it, both commands sent at one moment, each key once. A lane's
 * next race begins when both commands of the one before are answered and the end of its wait was told.
 */
export class RaceLanes {
  readonly counts: RaceCounts = { told: 0, signalFirst: 0, doubled: 0, failures: 0 }
  /** From the moment when both commands are sent to the one when the waiting session has the signal's value. */
  readonly wakeUps = new Latencies()
  private readonly pairs: { readonly waits: SessionCore; readonly signals: SessionCore }[] = []
  private readonly races = new Map<string, Race>()

  /** Those who wait have a connection of their own, so that nobody orders their commands before the log does. */
  static async open(
    hubs: { readonly waits: MultiSession; readonly signals: MultiSession },
    count: number,
  ): Promise<RaceLanes> {
    const lanes = new RaceLanes()
    const session = (hub: MultiSession, name: string): Promise<SessionCore> =>
      openBenchSession(hub, {
        principal: `user:${name}`,
        timeoutMs: SESSION_TIMEOUT_MS,
        onServerRequest: ({ type, payload }, done) => {
          lanes.told(type, payload)
          done(null)
        },
      })
    const opened = Array.from({ length: count }, async (_, lane) => {
      const [waits, signals] = await Promise.all([
        session(hubs.waits, `waits-${lane}`),
        session(hubs.signals, `signals-${lane}`),
      ])
      lanes.pairs.push({ waits, signals })
    })
    await Promise.all(opened)
    return lanes
  }

  get count(): number {
    return this.pairs.length
  }

  /** Runs a race in a lane; `ended` is called once, when nothing more of it is expected. */
  run(lane: number, number: number, ended: () => void): void {
    const pair = this.pairs[lane]
    if (pair === undefined) throw new Error(`there is no lane ${lane}`)
    const key = `race-${number}`
    const race: Race = { number, startedAt: performance.now(), ended, told: false, answered: 0 }
    this.races.set(key, race)
    const signal = (): void => this.send(pair.signals, 'signal', { key, value: number }, race)
    const wait = (): void => this.send(pair.waits, 'wait', key, race)
    // Which of the two is first in the log is for the cluster to say; which is written first, here, in turn.
    for (const send of number % 2 === 0 ? [wait, signal] : [signal, wait]) send()
  }

  async close(): Promise<void> {
    const cores = this.pairs.flatMap(({ waits, signals }) => [waits, signals])
    await Promise.all(cores.map((core) => new Promise((resolve) => core.closeSession(resolve))))
  }

  private send(core: SessionCore, command: string, input: string | { key: string; value: number }, race: Race): void {
    const deadlineAt = performance.now() + COMMAND_MS_MAX
    core.enqueue({ machine: 'races', command, input: encodeValue(input) }, deadlineAt, (outcome) => {
      if (outcome.kind !== 'ok') this.counts.failures += 1
      else if (command === 'signal' && decodeValue(outcome.value) === 'kept') this.counts.signalFirst += 1
      race.answered += 1
      this.maybeEnd(race)
    })
  }

  private told(type: string, payload: Uint8Array): void {
    const now = performance.now()
    if (type !== 'races.ended') return
    // The machine of the bench sends nothing else under this type.
    const { key, end } = decodeValue(payload) as unknown as { key: string; end: { kind: string; value?: number } }
    const race = this.races.get(key.slice('race/'.length))
    const own = race !== undefined && !race.told && end.kind === 'signalled' && end.value === race.number
    if (!own) {
      this.counts.doubled += 1
      return
    }
    race.told = true
    this.counts.told += 1
    this.wakeUps.record(now - race.startedAt)
    this.maybeEnd(race)
  }

  /** A race stays known, so that an end that is told again is noticed. */
  private maybeEnd(race: Race): void {
    if (race.told && race.answered === 2) race.ended()
  }
}
