import {
  type Actor,
  type ActorOptions,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
} from 'xstate'
import type { Value } from '../../codec/value/value.ts'
import type { SeenEntity } from './seen-entity.ts'

/** A delayed event of the actor, or of one below it. */
interface PendingTimer {
  readonly source: AnyActorRef
  /** Ids of actors from the root down to the one that armed it, joined by slashes. */
  readonly path: string
  readonly type: string
  /** Log time, ms. */
  readonly dueAt: number
  readonly fire: () => void
}

/** In place of a promise: settles when it is told to, at once. */
const SETTLING = {
  transition: (snapshot: object, event: { readonly type: string; readonly data: unknown }) => {
    if (event.type === 'settle') return { ...snapshot, status: 'done', output: event.data }
    return event.type === 'fail' ? { ...snapshot, status: 'error', error: event.data } : snapshot
  },
  getInitialSnapshot: (_: unknown, input: unknown) => ({
    status: 'active',
    output: undefined,
    error: undefined,
    input,
  }),
  getPersistedSnapshot: (snapshot: unknown) => snapshot,
} as unknown as AnyActorLogic

/** The same chart with promises that settle when they are told to, at every depth. */
export function settling(machine: AnyStateMachine): AnyStateMachine {
  const actors = Object.entries(machine.implementations.actors).map(([name, logic]) => {
    const inner = logic as AnyActorLogic
    return [name, 'root' in inner ? settling(inner as unknown as AnyStateMachine) : SETTLING] as const
  })
  return machine.provide({ actors: Object.fromEntries(actors) } as Parameters<AnyStateMachine['provide']>[0])
}

/** XState's own actor in place of an entity: its time is the log's, and its timers fire when the log says so. */
export class ReferenceActor {
  readonly counts = { armed: 0, fired: 0, cancelled: 0 }
  private now: number
  private readonly actor: Actor<AnyStateMachine>
  private readonly timers = new Map<number, PendingTimer>()
  private nextTimer = 1
  /** Who arms the timer that the clock is asked for. */
  private arming: Pick<PendingTimer, 'source' | 'path' | 'type'> | null = null

  constructor(machine: AnyStateMachine, given: { readonly id: string; readonly input: Value; readonly now: number }) {
    this.now = given.now
    const clock = {
      setTimeout: (fire: () => void, ms: number) => this.arm(fire, ms),
      clearTimeout: (timer: number) => this.cancel(timer),
    }
    const options = { id: given.id, clock, input: given.input ?? undefined }
    this.actor = createActor(settling(machine), options as unknown as ActorOptions<AnyStateMachine>)
    this.actor.subscribe({ error: () => undefined })
    const { scheduler } = this.actor.system as unknown as { readonly scheduler: { schedule: Schedule } }
    const { schedule } = scheduler
    scheduler.schedule = (source, target, event, ...rest) => {
      this.arming = { source, path: pathOf(source), type: event.type }
      schedule(source, target, event, ...rest)
    }
    this.actor.start()
  }

  /** The log has come so far, ms. */
  moveTo(now: number): void {
    this.now = now
  }

  /** Whatever is due before now: with the log at that time it has fired already. */
  overdue(): Pick<PendingTimer, 'path' | 'type' | 'dueAt'> | null {
    this.forget()
    for (const { path, type, dueAt } of this.timers.values()) if (dueAt < this.now) return { path, type, dueAt }
    return null
  }

  send(event: { readonly type: string }): void {
    if (this.actor.getSnapshot().status === 'active') this.actor.send(event)
  }

  /** Fires the first armed of these; false when there is none. */
  fire(path: string, type: string, dueAt: number): boolean {
    for (const [id, timer] of this.timers) {
      if (timer.path !== path || timer.type !== type || timer.dueAt !== dueAt) continue
      this.timers.delete(id)
      this.counts.fired += 1
      timer.fire()
      return true
    }
    return false
  }

  /** The result of the work of the actor at that path below the root. */
  settle(path: readonly string[], event: { readonly type: 'settle' | 'fail'; readonly data: unknown }): void {
    let ref: AnyActorRef | undefined = this.actor
    for (const id of path) ref = (ref?.getSnapshot() as AnyMachineSnapshot | undefined)?.children[id]
    if (ref?.getSnapshot().status === 'active') ref.send(event)
  }

  stop(): void {
    this.actor.stop()
    this.forget()
  }

  see(): SeenEntity {
    this.forget()
    return this.seeRef(this.actor)
  }

  private seeRef(ref: AnyActorRef): SeenEntity {
    const { status, value, context, output, children } = ref.getSnapshot() as AnyMachineSnapshot
    const path = pathOf(ref)
    const timers = [...this.timers.values()].filter((timer) => timer.path === path)
    const running = Object.entries(status === 'active' ? children : {}).filter(([, child]) => {
      return (child as AnyActorRef).getSnapshot().status === 'active'
    })
    return {
      status,
      value,
      context,
      output: output ?? null,
      timers: timers.map(({ type, dueAt }) => `${type} at ${dueAt}`).sort(),
      below: Object.fromEntries(
        running.map(([id, child]) => {
          const below = child as AnyActorRef
          return [id, 'value' in below.getSnapshot() ? this.seeRef(below) : 'work']
        }),
      ),
    }
  }

  /**
   * Timers of actors that are gone: XState cancels them, but of several with one id it knows the last one alone. The others
   * would fire into nothing.
   */
  private forget(): void {
    for (const [id, { source }] of this.timers) if (source.getSnapshot().status !== 'active') this.cancel(id)
  }

  private arm(fire: () => void, ms: number): number {
    const { arming } = this
    if (arming === null) throw new Error('a timer is armed by the scheduler of the actor')
    const id = this.nextTimer
    this.nextTimer += 1
    this.timers.set(id, { ...arming, dueAt: this.now + Math.ceil(ms), fire })
    this.counts.armed += 1
    return id
  }

  private cancel(timer: number): void {
    if (this.timers.delete(timer)) this.counts.cancelled += 1
  }
}

/** XState's scheduler as 5.33.3 has it: the source is who arms. */
type Schedule = (source: AnyActorRef, target: AnyActorRef, event: { readonly type: string }, ...rest: unknown[]) => void

function pathOf(ref: AnyActorRef): string {
  const { _parent: parent } = ref as unknown as { readonly _parent?: AnyActorRef }
  return parent === undefined ? ref.id : `${pathOf(parent)}/${ref.id}`
}
