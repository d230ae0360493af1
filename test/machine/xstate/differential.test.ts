import fc from 'fast-check'
import { type AnyActorRef, type AnyMachineSnapshot, type AnyStateMachine, createActor, SimulatedClock } from 'xstate'
import { afterAll, describe, expect, test, vi } from 'vitest'
import type { Value } from '../../../src/machine/index.ts'
import type { EntityRow } from '../../../src/machine/xstate/index.ts'
import { sample } from '../../effort.ts'
import { OneEntity } from './one-entity.ts'
import { settling } from '../../../src/sim/charts/reference-actor.ts'
import { CLASSICS } from '../../../src/sim/charts/classics.ts'
import { type Workflow, WORKFLOWS } from '../../../src/sim/charts/workflows.ts'

type Step =
  | { readonly kind: 'event'; readonly at: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'result'; readonly actor: number; readonly at: number }
  | { readonly kind: 'failure'; readonly actor: number }

/** What is compared: an entity, or the actor that stands for it, with everything below. */
interface Seen {
  readonly status: string
  readonly value: unknown
  readonly context: unknown
  readonly output: unknown
  readonly below: { readonly [id: string]: Seen | 'work' }
}

/** XState's own actor, on a clock that only moves when it is told to. */
class Live {
  private readonly clock = new SimulatedClock()
  private readonly actor

  constructor({ machine, input }: Workflow) {
    this.actor = createActor(settling(machine), { clock: this.clock, input } as never)
    this.actor.subscribe({ error: () => {} })
    this.actor.start()
  }

  send(event: { readonly type: string }): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event)
  }

  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 10) this.clock.increment(10)
  }

  settle(path: readonly string[], event: object): void {
    let ref: AnyActorRef | undefined = this.actor
    for (const id of path) ref = (ref?.getSnapshot() as AnyMachineSnapshot | undefined)?.children[id]
    ref?.send(event as never)
  }

  see(ref: AnyActorRef = this.actor): Seen {
    const { status, value, context, output, children } = ref.getSnapshot() as AnyMachineSnapshot
    const running = Object.entries(status === 'active' ? children : {}).filter(([, child]) => {
      return (child as AnyActorRef).getSnapshot().status === 'active'
    })
    return {
      status,
      value,
      context,
      output: output ?? null,
      below: Object.fromEntries(
        running.map(([id, child]) => [
          id,
          'value' in (child as AnyActorRef).getSnapshot() ? this.see(child as AnyActorRef) : 'work',
        ]),
      ),
    }
  }
}

/** The same on the adapter; one harness for all runs of a chart, with a new entity each. */
class Ours {
  private readonly one
  private readonly input

  constructor({ machine, input }: Workflow) {
    const names = Object.keys(withWork(machine))
    const work = Object.fromEntries(names.map((name) => [name, { maxAttempts: 1 }]))
    this.one = new OneEntity(machine, { work })
    this.input = input ?? null
  }

  begin(): void {
    this.one.client.execute('chart', 'remove', { id: 'e' })
    this.one.worker.acknowledge()
    expect(this.one.create(this.input as Value)).toMatchObject({ kind: 'ok' })
  }

  send(event: { readonly type: string }): string {
    const outcome = this.one.send(event as never)
    return outcome.kind === 'ok' ? 'taken' : outcome.code
  }

  wait(ms: number): void {
    for (let left = ms; left > 0; left -= 10) this.one.harness.advance(10)
  }

  /** The work that runs, with the way to its actor. */
  works() {
    return this.one.harness.tasks.map((task) => {
      const { entity, actor } = task.payload as { entity: string; actor: string }
      return { task, path: [...entity.split('/').slice(1), actor] }
    })
  }

  settle(task: Parameters<OneEntity['worker']['complete']>[0], output: Value): void {
    expect(this.one.worker.complete(task, output)).toMatchObject({ kind: 'ok' })
  }

  fail(task: Parameters<OneEntity['worker']['fail']>[0]): void {
    this.one.worker.fail(task, 'failed')
  }

  see(): Seen {
    const rows = new Map(this.one.harness.table('chart', 'entities'))
    expect(this.one.harness.failures).toEqual([])
    return seen(rows, 'e')
  }
}

function seen(rows: ReadonlyMap<string, EntityRow>, id: string): Seen {
  const row = rows.get(id)
  if (row === undefined) throw new Error(`there is no entity ${id}`)
  const { status, value, context, output, actors } = row
  const running = Object.entries(actors).filter(([, { ended }]) => !ended)
  return {
    status,
    value,
    context,
    output,
    below: Object.fromEntries(
      running.map(([actor, { kind }]) => [actor, kind === 'entity' ? seen(rows, `${id}/${actor}`) : 'work']),
    ),
  }
}

function withWork({ implementations }: AnyStateMachine): { readonly [name: string]: true } {
  const entries = Object.entries(implementations.actors).flatMap(([name, logic]) =>
    'root' in (logic as object)
      ? Object.entries(withWork(logic as unknown as AnyStateMachine))
      : [[name, true] as const],
  )
  return Object.fromEntries(entries)
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('event' as const), at: fc.nat(7) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(10, 30, 50, 150) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('result' as const), actor: fc.nat(2), at: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('failure' as const), actor: fc.nat(2) }) },
  ),
  { minLength: 1, maxLength: 14 },
)

/** One step on both sides. */
function take(step: Step, { events, outputs = [] }: Workflow, { live, ours }: { live: Live; ours: Ours }): void {
  switch (step.kind) {
    case 'event': {
      const event = events[step.at % events.length] ?? { type: 'NONE' }
      const before = live.see()
      live.send(event)
      // What is refused is what an actor would have passed over.
      if (ours.send(event) !== 'taken') expect(live.see()).toEqual(before)
      return
    }
    case 'wait':
      live.wait(step.ms)
      ours.wait(step.ms)
      return
    case 'result':
    case 'failure': {
      const works = ours.works()
      const work = works[step.actor % Math.max(1, works.length)]
      if (work === undefined) return
      const output = step.kind === 'result' ? (outputs[step.at % Math.max(1, outputs.length)] ?? null) : null
      if (step.kind === 'result') ours.settle(work.task, output)
      else ours.fail(work.task)
      const error = { name: 'Error', message: 'failed' }
      live.settle(work.path, step.kind === 'result' ? { type: 'settle', data: output } : { type: 'fail', data: error })
    }
  }
}

describe('the adapter does, step by step, what an actor does', () => {
  // An actor that has ended warns of what is sent to it.
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  afterAll(() => warn.mockRestore())

  test.each([...WORKFLOWS, ...CLASSICS].map((workflow) => [workflow.name, workflow] as const))(
    'with %s',
    (_, workflow) => {
      const ours = new Ours(workflow)
      fc.assert(
        fc.property(steps, (list) => {
          const live = new Live(workflow)
          ours.begin()
          expect(ours.see()).toEqual(live.see())
          for (const step of list) {
            take(step, workflow, { live, ours })
            expect(ours.see()).toEqual(live.see())
          }
        }),
        { numRuns: sample(25) },
      )
    },
  )
})
