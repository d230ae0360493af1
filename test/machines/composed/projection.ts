import { unreachable } from '../../../src/base/assert.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import type { MachineDefinition } from '../../../src/machine/index.ts'
import { concierge, counter, payments } from '../../../src/machines/index.ts'
import { type CheckStep, type HarnessSession, type MachineHarness, machineHarness } from '../../../src/testing/index.ts'
import { MACHINES } from './composed-lists.ts'
import { PRINCIPALS } from './composed-steps.ts'

type Machines = readonly MachineDefinition[]
/** Machines that have nothing to do with dialogues. */
const APART = [payments, concierge] as unknown as Machines
/** Numbers of tasks count over all machines. */
const TASK_ID = /\d+-task-\d+/g

/** What one list of steps leaves behind. */
interface Played {
  /** Rows of the machines that have nothing to do with dialogues, as one text, with the numbers of tasks left out. */
  readonly rows: string
  /** Number of the log entry after each step. */
  readonly indexes: readonly number[]
  /** What each person was notified of, in its order: number and topic. */
  readonly told: ReadonlyMap<string, readonly (readonly [seq: number, topic: string])[]>
}

/** Runs the steps in one deployment of all machines. */
export function played(steps: readonly CheckStep[]): Played {
  return new Deployment().play(steps, null)
}

/**
 * The same list without whatever belongs to other machines than payments and concierge. An entry that does nothing stands for
 * each of theirs, because rows name the entries that wrote them.
 */
export function playedApart(steps: readonly CheckStep[], { indexes }: Played): Played {
  return new Deployment().play(steps, indexes)
}

class Deployment {
  private readonly harness: MachineHarness<Machines> = machineHarness(MACHINES, { guard: false, failures: 'collect' })
  private readonly sessions: ReadonlyMap<string, HarnessSession<Machines>>
  private readonly told = new Map<string, (readonly [number, string])[]>()

  constructor() {
    const open = Object.entries(PRINCIPALS).map(([by, roles]) => [by, this.harness.session(by, { roles })] as const)
    this.sessions = new Map(open)
  }

  play(steps: readonly CheckStep[], indexes: readonly number[] | null): Played {
    const after: number[] = []
    for (const [position, step] of steps.entries()) {
      if (indexes === null || isApart(step)) this.perform(step)
      const until = indexes?.[position] ?? this.harness.index
      while (this.harness.index < until) this.nothing()
      after.push(this.harness.index)
    }
    for (const [by, { requests }] of this.sessions) {
      const notes = requests.filter(({ type }) => type === 'notification')
      const rows = notes.map(({ payload }) => payload as { readonly seq: number; readonly topic: string })
      this.told.set(
        by,
        rows.map(({ seq, topic }) => [seq, topic]),
      )
    }
    const failed = this.harness.failures[0]
    if (failed !== undefined) throw failed
    return { rows: this.rows(), indexes: after, told: this.told }
  }

  private perform(step: CheckStep): void {
    switch (step.do) {
      case 'command':
        this.sessions.get(step.by)?.execute(step.machine ?? '', step.command, step.input)
        return
      case 'complete':
      case 'fail':
        return this.work(step)
      case 'advance':
        return this.harness.advance(step.ms)
      // What clients do about notifications, and when they leave, is no machine's business here.
      case 'query':
      case 'deliver':
      case 'redeliver':
      case 'end':
        return
      default:
        return unreachable(step)
    }
  }

  private work(step: Extract<CheckStep, { do: 'complete' | 'fail' }>): void {
    const task = this.harness.tasks.find(({ kind, assignedTo }) => kind === step.kind && assignedTo !== null)
    const worker = [...this.sessions.values()].find(({ id }) => id === task?.assignedTo)
    if (task === undefined || worker === undefined) return
    if (step.do === 'complete') worker.complete(task, step.result)
    else worker.fail(task, 'FAILED')
  }

  /** An entry that no machine of the product has a rule about. */
  private nothing(): void {
    const [session] = this.sessions.values()
    session?.execute(counter.name, 'increment', { name: 'nothing' } as Value)
  }

  private rows(): string {
    const rows = APART.map(({ name, schema }) =>
      Object.keys(schema.state).map((table) => this.harness.table(name, table as never)),
    )
    return JSON.stringify([rows, this.harness.timers.filter(({ machine }) => isNamed(machine))]).replace(
      TASK_ID,
      'task',
    )
  }
}

const isNamed = (machine: string): boolean => APART.some(({ name }) => name === machine)

/** Of payments, concierge or the clock. */
function isApart(step: CheckStep): boolean {
  if (step.do === 'command') return isNamed(step.machine ?? '')
  if (step.do !== 'complete' && step.do !== 'fail') return true
  return APART.some(({ schema }) => Object.keys(schema.tasks ?? {}).includes(step.kind))
}
