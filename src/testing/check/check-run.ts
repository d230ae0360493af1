import { unreachable } from '../../base/assert.ts'
import { numbersOf, type SessionId } from '../../base/brand.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import { type MachineDefinition, type Mountable, TASK_MACHINE } from '../../machine/index.ts'
import type { Applied } from '../../session/state-machine.ts'
import type { ServerRequest, TaskRecord } from '../../session/user-machine.ts'
import { WALL_START_MS } from '../../sim/world/simulated-clock.ts'
import { EntryLog } from '../machine/entry-log.ts'
import { PassingTime } from '../machine/pass-time.ts'
import type { ArmedTimer, OpenWait } from '../machine/state-rows.ts'
import type { CheckStep } from './check-step.ts'
import { CheckTally } from './check-tally.ts'
import { CheckFailure, Replicas } from './replicas.ts'

/** A command that a client sends because of a server request. */
export interface Reaction {
  readonly command: string
  readonly input: Value
}

/** What waits for time or for workers after an entry, of all machines; each is looked for when it is asked for. */
export interface Waiting {
  /** Armed timers, the next one to fire first. */
  readonly timers: readonly ArmedTimer[]
  /** Waits that have not ended, the oldest first. */
  readonly waits: readonly OpenWait[]
  /** Open tasks, the oldest first. */
  readonly tasks: readonly TaskRecord[]
}

/** What a run needs to know of the check. */
export interface CheckSetting {
  readonly machine: MachineDefinition
  readonly others: readonly Mountable[]
  readonly guard: boolean
  /** Roles by principal. */
  readonly principals: ReadonlyMap<string, readonly string[]>
  readonly invariants: readonly (readonly [name: string, holds: Invariant])[]
  react(request: ServerRequest, principal: string): readonly Reaction[]
}

type Invariant = (tables: unknown, read: unknown, waiting: Waiting) => unknown

/** Requests are sent again soon, and die after the second attempt: dead letters are part of every longer run. */
const LIMITS = { ackTimeoutMs: 1_000, ackTimeoutMaxMs: 1_000, attemptsMax: 2 }
const REDELIVER_MS = 1_500
/** Configuration and limits: before them nothing can be asked. */
const FIRST_ENTRIES = 2
/** Timers that fire after the last step; one that arms itself again would do so for ever. */
const LAST_TIMERS_MAX = 8
/** Rounds in which clients react to what their reactions caused. */
const LAST_ROUNDS = 2

/** Runs one list of steps on fresh replicas. Throws CheckFailure at the first thing that must not be. */
export class CheckRun {
  private readonly setting: CheckSetting
  private readonly tally: CheckTally
  private readonly replicas: Replicas
  private readonly log: EntryLog
  private readonly time: PassingTime
  private readonly sessions = new Map<string, SessionId>()

  constructor(setting: CheckSetting, tally: CheckTally) {
    const { machine, others, guard } = setting
    this.setting = setting
    this.tally = tally
    this.replicas = new Replicas([machine, ...others], { guard })
    this.log = new EntryLog(
      (entry, bytes) => {
        const applied = this.replicas.apply(entry, bytes)
        tally.entry()
        if (entry.index > FIRST_ENTRIES) this.checkInvariants(entry.kind, entry.index)
        return applied
      },
      { now: WALL_START_MS, limits: LIMITS, machines: [machine, ...others] },
    )
    this.time = new PassingTime(this.log, this.replicas.first)
  }

  /**
   * The steps; then every server request is delivered twice and acknowledged, the timers that are armed fire, and all sessions
   * expire.
   */
  run(steps: readonly CheckStep[]): void {
    for (const step of steps) this.perform(step)
    for (let round = 0; round < LAST_ROUNDS; round += 1) {
      for (const by of this.sessions.keys()) this.deliver(by, false)
      this.redeliver()
      for (const by of this.sessions.keys()) this.deliver(by, true)
    }
    for (let fired = 0; fired < LAST_TIMERS_MAX; fired += 1) {
      const due = this.replicas.first.nextTimerDue()
      if (due === null) break
      this.log.tick(Math.max(0, due - this.log.now))
    }
    for (const by of [...this.sessions.keys()]) this.end(by, 'expired')
  }

  /** The log once more in another zone, and once more after other commands went through the same code. */
  replay(noise: readonly CheckStep[]): void {
    this.replicas.replay(this.log.entries, 'elsewhere')
    try {
      new CheckRun({ ...this.setting, guard: false, invariants: [] }, new CheckTally()).run(noise)
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error
    }
    this.replicas.replay(this.log.entries, 'later')
  }

  private perform(step: CheckStep): void {
    switch (step.do) {
      case 'command':
        return this.command(step.by, {
          machine: step.machine ?? this.setting.machine.name,
          name: step.command,
          input: step.input,
        })
      case 'query':
        return this.query(step)
      case 'advance':
        this.time.pass(step.ms)
        return
      case 'deliver':
        return this.deliver(step.by, step.acknowledge)
      case 'redeliver':
        return this.redeliver()
      case 'end':
        return this.end(step.by, step.reason)
      case 'complete':
      case 'fail':
        return this.endTask(step)
      default:
        return unreachable(step)
    }
  }

  /** An input that does not fit its schema never reaches the log, here as there. */
  private command(by: string, { machine, name, input }: { machine: string; name: string; input: Value }): void {
    const session = this.sessionOf(by)
    const parsed = this.replicas.probed.mount.parse(machine, name, sessionCodec.encodeValue(input))
    if (session === null || !parsed.ok) return
    const logged = { machine, command: name, input: parsed.input, version: parsed.version }
    const first = this.log.request(session, logged).reply
    const copy = this.log.request(session, logged, true).reply
    if (machine === this.setting.machine.name) this.tally.command(name, endOf(first))
    const alike = first.kind === 'outcome' && copy.kind === 'outcome' && copy.replayed
    if (!alike || JSON.stringify(first.outcome) !== JSON.stringify(copy.outcome)) {
      throw new CheckFailure(
        `a copy of ${name} was answered with ${JSON.stringify(copy)} after ${JSON.stringify(first)}`,
      )
    }
  }

  private query({ by, query, input }: Extract<CheckStep, { do: 'query' }>): void {
    const { machine } = this.setting
    const session = this.sessionOf(by)
    const parsed = this.replicas.probed.mount.parseQuery(machine.name, query, sessionCodec.encodeValue(input))
    if (session === null || !parsed.ok) return
    const { index } = numbersOf(session)
    this.replicas.first.query({ machine: machine.name, query, input: parsed.input, session: index })
    this.replicas.throwFound()
  }

  private deliver(by: string, acknowledge: boolean): void {
    const session = this.sessions.get(by)
    if (session === undefined) return
    const waiting = this.replicas.first.outbox(numbersOf(session).index, 0, Number.MAX_SAFE_INTEGER)
    for (const request of waiting) {
      for (const { command, input } of this.reactionsOf(request, by)) {
        this.command(by, { machine: this.setting.machine.name, name: command, input })
      }
    }
    const last = waiting.at(-1)
    if (acknowledge && last !== undefined) this.log.acknowledge(session, last.serverRequestId)
  }

  private reactionsOf(request: ServerRequest, by: string): readonly Reaction[] {
    try {
      return this.setting.react(request, by)
    } catch (error) {
      throw new CheckFailure(`${by} was told ${JSON.stringify(request.payload)}: ${String(error)}`, { cause: error })
    }
  }

  private redeliver(): void {
    this.log.tick(REDELIVER_MS)
    this.log.retry([...this.sessions.values()])
  }

  private end(by: string, reason: 'expired' | 'closed'): void {
    const session = this.sessions.get(by)
    if (session === undefined) return
    this.sessions.delete(by)
    const facts = this.replicas.first.sessionFacts(numbersOf(session).index)
    if (facts === null) return
    if (reason === 'closed') this.log.close(session)
    else this.log.expire(facts)
  }

  private endTask(step: Extract<CheckStep, { do: 'complete' | 'fail' }>): void {
    for (const [principal, roles] of this.setting.principals) if (roles.length > 0) this.sessionOf(principal)
    const task = this.replicas.rows.tasks().find(({ kind, assignedTo }) => kind === step.kind && assignedTo !== null)
    const worker = [...this.sessions].find(([, session]) => session === task?.assignedTo)
    if (task === undefined || worker === undefined) return
    const { taskId, attempt } = task
    const [name, input]: [string, Value] =
      step.do === 'complete'
        ? ['complete', { taskId, attempt, result: step.result }]
        : ['fail', { taskId, attempt, reason: 'FAILED' }]
    this.command(worker[0], { machine: TASK_MACHINE, name, input })
  }

  /** The session of a principal, opened when there is none; null when a machine refuses it. */
  private sessionOf(principal: string): SessionId | null {
    const known = this.sessions.get(principal)
    if (known !== undefined) return known
    const { reply } = this.log.open({ principal, roles: this.setting.principals.get(principal) ?? [] })
    if (reply.kind !== 'opened') return null
    this.sessions.set(principal, reply.sessionId)
    return reply.sessionId
  }

  /** PERF: all of them in one look, since the guard is put on and taken off for each. */
  private checkInvariants(kind: string, index: number): void {
    const { machine, invariants } = this.setting
    if (invariants.length === 0) return
    const { rows } = this.replicas
    const waiting: Waiting = {
      get timers() {
        return rows.timers()
      },
      get waits() {
        return rows.waits()
      },
      get tasks() {
        return rows.tasks()
      },
    }
    this.replicas.probed.read(this.replicas.first, machine.name, (tables, read) => {
      for (const [name, holds] of invariants) {
        if (heldBy(() => holds(tables, read, waiting), `invariant "${name}" failed after entry ${index} (${kind})`))
          continue
        throw new CheckFailure(`invariant "${name}" does not hold after entry ${index} (${kind})`)
      }
    })
  }
}

/** Whether it does not return false; what it throws is a failure that `where` begins. */
function heldBy(holds: () => unknown, where: string): boolean {
  try {
    return holds() !== false
  } catch (error) {
    throw new CheckFailure(`${where}: ${String(error)}`, { cause: error })
  }
}

/** `ok`, or the code. */
function endOf(reply: Applied['reply']): string {
  if (reply.kind !== 'outcome') return reply.kind
  return reply.outcome.kind === 'value' ? 'ok' : reply.outcome.code
}
