import { sessionId, type Millis, type SessionId } from '../../../src/base/brand.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type {
  EmitOptions,
  KeyStore,
  MachineCommand,
  MachineContext,
  Outcome,
  QueryView,
  SessionInfo,
  StateStore,
  TaskKind,
  UserStateMachine,
} from '../../../src/session/user-machine.ts'

/** A session for tests. */
export const sessionOf = (principal: string, roles: readonly string[] = []): SessionInfo => ({
  id: sessionId(0, 1, 7),
  principal,
  roles,
  capabilities: {},
  name: principal,
})

class MemoryStore implements StateStore {
  rows = new Map<string, Value>()
  readonly bare: KeyStore = {
    add: (key) => void this.rows.set(key, true),
    delete: (key) => void this.rows.delete(key),
    range: (bounds) => this.range(bounds).map(([key]) => key),
    count: (bounds) => this.count(bounds),
  }

  get(key: string): Value | undefined {
    return this.rows.get(key)
  }
  has(key: string): boolean {
    return this.rows.has(key)
  }
  set(key: string, value: Value): void {
    this.rows.set(key, value)
  }
  delete(key: string): boolean {
    return this.rows.delete(key)
  }
  count(bounds: { from: string; to: string }): number {
    return this.keys(bounds).length
  }
  range(bounds: { from: string; to: string; limit: number; reverse?: boolean }): (readonly [string, Value])[] {
    const keys = this.keys(bounds)
    if (bounds.reverse === true) keys.reverse()
    return keys.slice(0, bounds.limit).map((key) => [key, this.rows.get(key) ?? null] as const)
  }
  private keys({ from, to }: { from: string; to: string }): string[] {
    return [...this.rows.keys()].filter((key) => key >= from && key < to).sort()
  }
}

/** What a call did besides its rows, in order. */
export type Effect = readonly [what: string, ...parameters: unknown[]]

/** A machine's host in a few lines, for tests of the kit alone (FR-005): transactions over a map, effects as a list. */
export class MemoryHost {
  readonly store = new MemoryStore()
  effects: Effect[] = []
  now = 1_000
  index = 0

  constructor(readonlyMachine: UserStateMachine) {
    this.machine = readonlyMachine
  }
  readonly machine: UserStateMachine

  /** As a log without AdvanceVersion entries says; a test may say otherwise. */
  versionOf: (machine: string) => number = () => 1

  /** One command as one transaction: a rejection or throw drops rows and effects, audit and alerts stay. */
  apply(machine: string, command: string, input: Value, session: SessionInfo | null = sessionOf('user:a')): Outcome {
    const request: MachineCommand = { machine, command, input }
    return this.transaction(session, (context) => this.machine.apply(context, request))
  }

  /** A hook or timer as one transaction. */
  transaction<Result>(session: SessionInfo | null, run: (context: MachineContext) => Result): Result {
    this.index += 1
    const rows = new Map(this.store.rows)
    const before = this.effects.length
    const after: ((context: MachineContext) => void)[] = []
    const rollback = (): void => {
      this.store.rows = rows
      const kept = this.effects.slice(before).filter(([what]) => what === 'audit' || what === 'alert')
      this.effects = [...this.effects.slice(0, before), ...kept]
      for (const callback of after) callback(this.context(session, []))
    }
    try {
      const result = run(this.context(session, after))
      if (isRejected(result)) rollback()
      return result
    } catch (error) {
      rollback()
      throw error
    }
  }

  query(machine: string, query: string, input: Value, session: SessionInfo | null = null): Outcome | undefined {
    const view: QueryView = {
      state: this.store,
      now: this.now,
      index: this.index,
      session,
      activeVersion: (name) => this.versionOf(name),
    }
    return this.machine.query?.(view, { machine, query, input })
  }

  context(session: SessionInfo | null, after: ((context: MachineContext) => void)[]): MachineContext {
    const record = (...effect: Effect): void => {
      this.effects.push(effect)
    }
    let counter = 0
    return {
      now: this.now,
      index: this.index,
      incarnation: 1,
      session,
      state: this.store,
      emit: (target: SessionId, type: string, payload: Value, options?: EmitOptions) => {
        record('emit', target, type, payload, ...(options === undefined ? [] : [options]))
        return true
      },
      notify: (principal, topic, body) => record('notify', principal, topic, body),
      task: (machine: string, kind: TaskKind, ref: string, payload: Value) => {
        record('task', machine, kind, ref, payload)
        return '1-task-1'
      },
      cancelTask: (taskId) => {
        record('cancelTask', taskId)
        return true
      },
      openTasks: () => [],
      schedules: memorySchedules(record),
      schedule: (machine: string, name: string, dueAt: Millis, payload: Value) =>
        record('schedule', machine, name, dueAt, payload),
      cancel: (machine, name) => {
        record('cancel', machine, name)
        return true
      },
      wait: (machine, key, options) => {
        record('wait', machine, key, options)
        return '1-wait-1'
      },
      signal: (machine, key, given, options) => {
        record('signal', machine, key, given, ...(options === undefined ? [] : [options]))
        return 'kept'
      },
      cancelWait: (machine, waitId) => {
        record('cancelWait', machine, waitId)
        return true
      },
      once: (_scope, _key, _fingerprint, _retentionMs, run) => ({ kind: 'fresh', value: run() }),
      audit: (given) => record('audit', given),
      alert: (kind, details) => record('alert', kind, details ?? null),
      afterReject: (run) => void after.push(run),
      principalsKnown: () => ['admin:root'],
      hash: (bytes) => bytes.slice(0, 4),
      hashHex: (text) => text.padEnd(64, '0').slice(0, 64),
      id: (prefix) => {
        counter += 1
        return `${prefix}1-${this.index}-${counter}`
      },
      random: () => 0.5,
      activeVersion: (name) => this.versionOf(name),
      hasOwn: () => true,
      log: (message) => record('log', message),
    }
  }
}

const isRejected = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'kind' in result && result.kind === 'reject'

/** Every call is an effect, and finds what it is for. */
function memorySchedules(record: (...effect: Effect) => void): MachineContext['schedules'] {
  const recorded =
    (call: string) =>
    (...parameters: unknown[]): true => {
      record(`schedules.${call}`, ...parameters)
      return true
    }
  return {
    put: recorded('put'),
    pause: recorded('pause'),
    resume: recorded('resume'),
    backfill: recorded('backfill'),
    cancel: recorded('cancel'),
    end: recorded('end'),
    find: () => null,
  }
}
