import { describe, expect, test } from 'vitest'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { type CheckStep, type HarnessSession, type MachineHarness, machineHarness } from '../../../src/testing/index.ts'
import { gatesLists } from './gates-lists.ts'
import type { MachineLists } from './machine-lists.ts'
import { paymentsLists } from './payments-lists.ts'
import { reconcilerLists } from './reconciler-lists.ts'
import { sessionLists } from './session-lists.ts'

/** Effects of a handler: each is a step at which it may fail. */
const EFFECTS = new Set(['set', 'delete', 'schedule', 'cancel', 'task', 'cancelTask', 'emit', 'notify', 'publish'])

/** Throws before the effect with that number, counted from 0; null lets all pass. */
class Saboteur {
  failAt: number | null = null
  private done = 0

  begin(failAt: number | null): void {
    this.failAt = failAt
    this.done = 0
  }

  /** The machine, each of whose commands fails at that effect. */
  on(machine: MachineDefinition): MachineDefinition {
    const commands = Object.entries(machine.behaviour.commands).map(([name, { handler }]) => {
      const sabotaged = (ctx: object, input: unknown): unknown => (handler as Handler)(this.watched(ctx), input)
      return [name, { handler: sabotaged }]
    })
    const behaviour = { ...machine.behaviour, commands: Object.fromEntries(commands) as never }
    return { ...machine, behaviour }
  }

  private watched<Given extends object>(given: Given): Given {
    return new Proxy(given, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target)
        if (name === 'state' && typeof member === 'object' && member !== null) return this.tables(member)
        return this.member(target, name, member)
      },
    })
  }

  private tables(state: object): object {
    return new Proxy(state, { get: (target, name) => this.watched(Reflect.get(target, name, target) as object) })
  }

  private member(target: object, name: string | symbol, member: unknown): unknown {
    if (typeof member !== 'function') return member
    return (...parameters: unknown[]): unknown => {
      if (EFFECTS.has(String(name))) {
        if (this.done === this.failAt) throw new Error(`injected before effect ${this.done}`)
        this.done += 1
      }
      return Reflect.apply(member, target, parameters)
    }
  }
}

type Handler = (ctx: unknown, input: unknown) => unknown

/** A machine and those around it, the first of which fails where it is told. */
class World {
  readonly saboteur = new Saboteur()
  private readonly harness: MachineHarness<readonly MachineDefinition[]>
  private readonly sessions = new Map<string, HarnessSession<readonly MachineDefinition[]>>()
  private readonly lists: MachineLists

  constructor(lists: MachineLists) {
    this.lists = lists
    const machines = [this.saboteur.on(lists.machine), ...(lists.options.drive ?? [])]
    this.harness = machineHarness(machines, { guard: false, failures: 'collect' })
  }

  send(by: string, machine: string, name: string, input: unknown): string {
    const outcome = this.sessionOf(by).execute(machine, name, input as never)
    return outcome.kind === 'ok' ? 'ok' : outcome.code
  }

  /** The oldest task of a kind, as `checkMachine` has it done. */
  work(step: Extract<CheckStep, { do: 'complete' | 'fail' }>): void {
    const principals = Object.entries(this.lists.options.principals ?? {})
    const workers = principals.flatMap(([by, { length }]) => (length > 0 ? [this.sessionOf(by)] : []))
    const task = this.harness.tasks.find(({ kind }) => kind === step.kind)
    const worker = workers.find(({ id }) => id === task?.assignedTo)
    if (task === undefined || worker === undefined) return
    if (step.do === 'complete') worker.complete(task, step.result)
    else worker.fail(task, 'FAILED')
  }

  advance(ms: number): void {
    this.harness.advance(ms)
  }

  private sessionOf(by: string): HarnessSession<readonly MachineDefinition[]> {
    const roles = this.lists.options.principals?.[by] ?? []
    const known = this.sessions.get(by) ?? this.harness.session(by, { roles })
    this.sessions.set(by, known)
    return known
  }

  /** Everything that a command may change. */
  all(): string {
    const machines = [this.lists.machine, ...(this.lists.options.drive ?? [])]
    const rows = machines.map(({ name, schema }) =>
      Object.keys(schema.state).map((table) => this.harness.table(name, table as never)),
    )
    const requests = [...this.sessions.values()].map((session) => session.requests.length)
    return JSON.stringify([rows, this.harness.timers, this.harness.tasks, requests])
  }
}

describe.each([
  ['session', sessionLists],
  ['gates', gatesLists],
  ['payments', paymentsLists],
  ['reconciler', reconcilerLists],
] as const)('PP7 a command of %s that fails at any of its steps', (_machine, lists) => {
  test('changes nothing, and does all of it when it is sent again', () => {
    const drawn = lists()
    const failed = new Map<string, number>()
    for (const way of drawn.options.begin ?? []) {
      const world = new World(drawn)
      for (const step of way) {
        if (step.do === 'advance') world.advance(step.ms)
        world.saboteur.begin(null)
        if (step.do === 'complete' || step.do === 'fail') world.work(step)
        if (step.do !== 'command') continue
        const { by, machine = drawn.machine.name, command, input } = step
        world.saboteur.begin(0)
        // Opens the session, which is a change of its own.
        world.send(by, machine, 'holdfast/none', null)
        const before = world.all()
        for (let at = 0; ; at += 1) {
          world.saboteur.begin(at)
          if (world.send(by, machine, command, input) !== 'MACHINE_ERROR') break
          expect(world.all(), `${command} that failed before effect ${at}`).toBe(before)
          failed.set(command, Math.max(failed.get(command) ?? 0, at + 1))
        }
      }
    }
    // Commands of one step alone would have shown nothing.
    expect([...failed.values()].filter((effects) => effects > 2).length).toBeGreaterThan(3)
  })
})
