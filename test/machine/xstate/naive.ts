import {
  type Actor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  type EventObject,
  initialTransition,
  type Snapshot,
  transition,
} from 'xstate'

/**
 * The adapter that one would write first: XState's pure functions, with the snapshot in memory (`live`) or saved as JSON
 * between the events (`saved`). Each test of a row shows what goes wrong with it.
 */
export class NaiveEntity {
  snapshot: AnyMachineSnapshot
  actions: readonly { readonly type: string; readonly params: unknown; readonly exec: unknown }[]
  private readonly machine: AnyStateMachine

  constructor(machine: AnyStateMachine, input?: unknown) {
    this.machine = machine
    const [snapshot, actions] = initialTransition(machine, input)
    this.snapshot = snapshot
    this.actions = actions as never
  }

  send(event: EventObject): this {
    const [snapshot, actions] = transition(this.machine, this.snapshot, event)
    this.snapshot = snapshot
    this.actions = actions as never
    return this
  }

  /** Saves and restores, perhaps with what was saved changed. */
  restart(change: (saved: Record<string, unknown>) => Record<string, unknown> = (saved) => saved): this {
    const saved = JSON.parse(JSON.stringify(this.machine.getPersistedSnapshot(this.snapshot))) as Record<
      string,
      unknown
    >
    return this.restore(change(saved))
  }

  restore(saved: Record<string, unknown>, machine: AnyStateMachine = this.machine): this {
    const actor: Actor<AnyStateMachine> = createActor(machine, { snapshot: saved as unknown as Snapshot<unknown> })
    this.snapshot = actor.getSnapshot()
    return this
  }
}

/** An object with the keys of every object in it sorted, as some codecs store it. */
export function keySorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(keySorted)
  if (typeof value !== 'object' || value === null) return value
  const sorted = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))
  return Object.fromEntries(sorted.map(([key, field]) => [key, keySorted(field)]))
}
