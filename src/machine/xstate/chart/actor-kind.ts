import { StateMachine, type AnyStateMachine } from 'xstate'

/** What an actor's logic becomes: a task for a worker, or an entity of its own. */
export type ActorKind = 'promise' | 'callback' | 'machine'

/** The kind of a logic, or null for one that cannot be replicated (observables, reducers, logics of one's own). */
export function actorKind(logic: unknown): ActorKind | null {
  if (isMachine(logic)) return 'machine'
  if (typeof logic !== 'object' || logic === null || !('start' in logic) || !('transition' in logic)) return null
  return resolves(logic.transition) ? 'promise' : observes(logic) ? null : 'callback'
}

export const isMachine = (logic: unknown): logic is AnyStateMachine => logic instanceof StateMachine

/** A promise's logic is done when XState tells it so. None of the author's code runs: that is in `start`. */
function resolves(transition: unknown): boolean {
  if (typeof transition !== 'function') return false
  const before = { status: 'active', output: undefined, error: undefined, input: undefined }
  try {
    return (
      (transition(before, { type: 'xstate.promise.resolve', data: 0 }, {}) as { status?: unknown }).status === 'done'
    )
  } catch {
    return false
  }
}

/** The snapshot of an observable holds its subscription. */
function observes(logic: object): boolean {
  if (!('getInitialSnapshot' in logic) || typeof logic.getInitialSnapshot !== 'function') return true
  try {
    const snapshot: unknown = logic.getInitialSnapshot({}, undefined)
    return typeof snapshot !== 'object' || snapshot === null || '_subscription' in snapshot || 'context' in snapshot
  } catch {
    return true
  }
}
