import type { Random } from '../../base/random.ts'
import { type ClientEnvironment, type ClientSession, connect, type ConnectOptions } from '../../client/index.ts'
import type { HistoryValue } from '../../history/edn/history-value.ts'
import { type Duration, durationMs } from '../duration.ts'
import type { TypedMachines } from '../machines.ts'
import type { Recorded, RecordedOutcome, Recorder } from './recorder.ts'

/** What a client has of its seed's world. */
export interface ClientParts<Machines extends TypedMachines> {
  readonly number: number
  readonly machines: Machines
  readonly endpoints: readonly string[]
  readonly random: Random
  readonly recorder: Recorder
  /** For one more session. */
  environment(): ClientEnvironment
  nowMs(): number
  faulty(): boolean
  /** Calls back after so many ms of the world. */
  later(ms: number, callback: () => void): void
}

/** Ten minutes: longer than any fault, so that a patient client knows how everything ended. */
const PATIENT_MS = 600_000

/** One client of a workload, in a world whose time, network and faults are a seed's. */
export class WorkloadClient<Machines extends TypedMachines = TypedMachines> {
  /** 0, 1, 2, … among the clients of the seed. */
  readonly number: number
  /** The only randomness that it may use. */
  readonly random: Random
  private readonly parts: ClientParts<Machines>
  /** Processes of the history that have nothing open. */
  private readonly idle: number[] = []

  constructor(parts: ClientParts<Machines>) {
    this.parts = parts
    this.number = parts.number
    this.random = parts.random
  }

  /** The wall clock of the world, ms since the Unix epoch. */
  get now(): number {
    return this.parts.nowMs()
  }

  /** Faults strike; false: they are over, and will not come again. */
  get faulty(): boolean {
    return this.parts.faulty()
  }

  /**
   * A session by the product's own client; rejects as `connect` does. Unless told otherwise it is patient: sessions,
   * commands and queries wait up to ten minutes, so that every outcome is known in the end. Default principal:
   * `user:client-N`.
   */
  session(principal = `user:client-${this.number}`, options: Partial<ConnectOptions<Machines>> = {}) {
    const { endpoints, machines } = this.parts
    const patient = { timeoutMs: PATIENT_MS, deadlineMs: PATIENT_MS, connectDeadlineMs: PATIENT_MS }
    const environment = this.parts.environment()
    const given = { ...patient, endpoints, environment, principal, machines, ...options }
    return connect<Machines>(given as ConnectOptions<Machines>) as Promise<ClientSession<Machines>>
  }

  /** Lets that much time of the world pass. */
  sleep(duration: Duration): Promise<void> {
    return new Promise((resolve) => this.parts.later(durationMs(duration), resolve))
  }

  /**
   * Makes a call and writes it into the history: an `ok` with its value, or with what `answerOf` makes of it, and the index
   * of the log; a refusal as one that did not happen; an `unknown` as one that may have.
   */
  async record<Outcome extends RecordedOutcome>(
    recorded: Recorded,
    call: () => Promise<Outcome>,
    answerOf: (value: Outcome extends { readonly value: infer Value } ? Value : never) => HistoryValue = plain,
  ): Promise<Outcome> {
    const { recorder } = this.parts
    const process = this.idle.pop() ?? recorder.newProcess()
    recorder.invoked(process, recorded)
    const outcome = await call()
    // The value is that of the outcome whose type it has.
    const mayGoOn = recorder.completed(process, recorded, outcome, answerOf as (value: unknown) => HistoryValue)
    if (mayGoOn) this.idle.push(process)
    return outcome
  }
}

/** Values of commands and queries are plain data; what a history cannot hold is told by whoever writes it. */
function plain(value: unknown): HistoryValue {
  return value as HistoryValue
}
