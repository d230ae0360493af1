import { unreachable } from '../../base/assert.ts'
import type { AnyStateMachine } from 'xstate'
import { Violation } from '../checkers/violation.ts'
import type { ChartCall } from './chart-recorder.ts'
import { ReferenceActor } from './reference-actor.ts'
import { type SeenEntity, seenText } from './seen-entity.ts'

/** What became of timers and of work; `lost` and `doubled` end the seed. */
export interface ChartCounts {
  readonly timersArmed: number
  readonly timersFired: number
  readonly timersCancelled: number
  readonly lost: number
  readonly doubled: number
  /** Results and failures that an actor took, and those that came too late. */
  readonly results: number
  readonly lateResults: number
}

/**
 * Follows the log with XState's own actors: every event, timer and result that a replica applies is given to the actor that
 * stands for the entity, and both must then be in the same state, wait for the same timers and run the same work. Timers are
 * armed by XState here, and never by what is tested.
 */
export class ChartModel {
  private readonly charts: ReadonlyMap<string, AnyStateMachine>
  private readonly actors = new Map<string, { machine: string; id: string; actor: ReferenceActor }>()
  private readonly ended: ReferenceActor[] = []
  private readonly calls = new Map<number, string>()
  private readonly taken = new Set<string>()
  private lost = 0
  private doubled = 0
  private late = 0
  /** Index of the last entry that it has seen. */
  index = 0

  constructor(charts: ReadonlyMap<string, AnyStateMachine>) {
    this.charts = charts
  }

  get counts(): ChartCounts {
    const all = [...this.ended, ...[...this.actors.values()].map(({ actor }) => actor)]
    const sum = (of: keyof ReferenceActor['counts']): number => all.reduce((total, { counts }) => total + counts[of], 0)
    const [timersArmed, timersFired, timersCancelled] = [sum('armed'), sum('fired'), sum('cancelled')]
    const { lost, doubled, late } = this
    return { timersArmed, timersFired, timersCancelled, lost, doubled, results: this.taken.size, lateResults: late }
  }

  /** Entities that are there, and what they are by now. */
  entities(): readonly { readonly machine: string; readonly id: string; readonly seen: SeenEntity }[] {
    return [...this.actors.values()].map(({ machine, id, actor }) => ({ machine, id, seen: actor.see() }))
  }

  /** What a replica did at an index: new to the model, or the same that another one did. */
  applied(index: number, calls: readonly ChartCall[]): void {
    const text = calls.length === 0 ? '' : seenText(calls)
    if (index <= this.index) {
      if ((this.calls.get(index) ?? '') !== text)
        throw new Violation('replicas call the same handlers', { index, text, before: this.calls.get(index) })
      return
    }
    this.index = index
    if (text !== '') this.calls.set(index, text)
    for (const call of calls) this.follow(index, call)
  }

  private follow(index: number, call: ChartCall): void {
    const { machine, root, now, refused } = call
    const key = `${machine} ${root}`
    for (const [of, { actor }] of this.actors) {
      actor.moveTo(now)
      const overdue = actor.overdue()
      if (overdue === null) continue
      this.lost += 1
      throw new Violation('a timer fires when the log comes to its time', { index, of, now, ...overdue })
    }
    if (refused === 'thrown') throw new Violation('a chart of the workload does not throw', { index, call })
    this.act(index, key, call)
    const standing = this.actors.get(key)?.actor
    const expected = standing === undefined ? null : seenText(standing.see())
    const found = call.after === null ? null : seenText(call.after)
    // A refusal leaves everything as it was.
    if (expected !== found)
      throw new Violation("an entity is in the state of XState's actor", { index, key, act: call.act, found, expected })
  }

  private act(index: number, key: string, { machine, root, now, act, refused }: ChartCall): void {
    const actor = this.actors.get(key)?.actor
    switch (act.kind) {
      case 'create': {
        if (refused !== null) return
        const chart = this.charts.get(machine)
        if (chart === undefined) throw new Violation('a chart of this world', { machine })
        const actor = new ReferenceActor(chart, { id: root, input: act.input, now })
        this.actors.set(key, { machine, id: root, actor })
        return
      }
      case 'send':
        // What is refused is what an actor would have passed over.
        actor?.send(act.event)
        return
      case 'remove':
        if (actor === undefined || refused !== null) return
        actor.stop()
        this.actors.delete(key)
        this.ended.push(actor)
        return
      case 'timer': {
        const { armed, entity } = act
        const fired = armed !== null && armed.dueAt === now && actor?.fire(entity, armed.type, armed.dueAt)
        if (fired === true) return
        this.doubled += 1
        throw new Violation('a timer that fires is armed, and fires at its time', { index, key, now, act })
      }
      case 'result': {
        if (!act.current) {
          this.late += 1
          return
        }
        if (this.taken.has(act.task)) throw new Violation('the result of a task is taken once', { index, key, act })
        this.taken.add(act.task)
        actor?.settle([...act.entity.split('/').slice(1), act.actor], act.outcome)
        return
      }
      default:
        unreachable(act)
    }
  }
}
