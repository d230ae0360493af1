import { decodeValue } from '../../src/codec/value/decode.ts'
import { encodeValue } from '../../src/client/index.ts'
import type { RawOutcome } from '../../src/client/calls/raw-outcome.ts'
import type { MultiSession } from '../../src/client/session/multi-session.ts'
import type { SessionCore } from '../../src/client/session/session-core.ts'
import { openBenchSession } from '../bench-session.ts'
import type { Lanes } from '../closed-loop.ts'

const COMMAND_MS_MAX = 60_000
const SESSION_TIMEOUT_MS = 60_000

/** Sessions of one machine `fanout`, and what they have received of each other. */
export class FanoutLanes implements Lanes {
  /** Commands under way at a time; the sessions send them in turn. */
  readonly count: number
  /** Server requests emitted by commands that were answered, and those that were handled. */
  emitted = 0
  received = 0
  private readonly hubs: readonly MultiSession[]
  private cores: SessionCore[] = []
  private next = 0

  private constructor(hubs: readonly MultiSession[], inFlight: number) {
    this.hubs = hubs
    this.count = inFlight
  }

  /** Opens the sessions over these connections and makes each known to the machine. */
  static async open(hubs: readonly MultiSession[], of: { sessions: number; inFlight: number }): Promise<FanoutLanes> {
    const lanes = new FanoutLanes(hubs, of.inFlight)
    lanes.cores = await Promise.all(Array.from({ length: of.sessions }, (_, place) => lanes.openOne(place)))
    const joined = await Promise.all(lanes.cores.map((core, place) => lanes.execute(core, 'join', place)))
    const refused = joined.find(({ kind }) => kind !== 'ok')
    if (refused !== undefined) throw new Error(`a session could not join: ${JSON.stringify(refused)}`)
    return lanes
  }

  send(_lane: number, done: (ok: boolean) => void): void {
    const place = this.next
    this.next = (this.next + 1) % this.cores.length
    const core = this.cores[place] as SessionCore // within range
    void this.execute(core, 'spread', place).then((outcome) => {
      if (outcome.kind === 'ok') this.emitted += Number(decodeValue(outcome.value))
      done(outcome.kind === 'ok')
    })
  }

  private openOne(place: number): Promise<SessionCore> {
    const hub = this.hubs[place % this.hubs.length] as MultiSession // at least one
    return openBenchSession(hub, {
      principal: `user:fanout-${place}`,
      timeoutMs: SESSION_TIMEOUT_MS,
      onServerRequest: (_request, done) => {
        this.received += 1
        done(null)
      },
    })
  }

  private execute(core: SessionCore, command: string, place: number): Promise<RawOutcome> {
    const call = { machine: 'fanout', command, input: encodeValue(place) }
    return new Promise((resolve) => core.enqueue(call, this.nowMs() + COMMAND_MS_MAX, resolve))
  }

  private nowMs(): number {
    return (this.hubs[0] as MultiSession).environment.clock.nowMs() // at least one
  }
}
