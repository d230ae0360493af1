import {
  bare,
  type BareMachine,
  type EmitOptions,
  type MachineCommand,
  type MachineContext,
  type Outcome,
  type QueryView,
  type SessionInfo,
  type UserStateMachine,
} from '../../machine/index.ts'

const STROKES = 'bell/strokes'
const SESSIONS = { from: 'bell/sessions/', to: 'bell/sessions0', limit: 64 }

/** Type of the server requests that `bell` emits, and of those that `counter` does. */
export const RUNG = 'bell.rung'
export const CHANGED = 'counter.changed'

/**
 * A machine of the simulator's own: each `ring` counts a stroke, answers with its number and emits it to every session that
 * is open, not only to the one that rang. A session that is told of a stroke must be told of each one after it.
 */
class Bell implements UserStateMachine {
  private readonly options: EmitOptions

  constructor(options: EmitOptions) {
    this.options = options
  }

  apply(context: MachineContext, command: MachineCommand): Outcome {
    if (command.command !== 'ring') return { kind: 'reject', code: 'UNKNOWN_COMMAND', details: null }
    const stroke = Number(context.state.get(STROKES) ?? 0) + 1
    context.state.set(STROKES, stroke)
    for (const [, session] of context.state.range(SESSIONS)) {
      context.emit(session as SessionInfo['id'], RUNG, { stroke }, this.options)
    }
    return { kind: 'value', value: stroke }
  }

  /** How often it was rung. */
  query({ state }: Pick<QueryView, 'state'>, request: { readonly query: string }): Outcome {
    if (request.query !== 'strokes') return { kind: 'reject', code: 'UNKNOWN_QUERY', details: null }
    return { kind: 'value', value: state.get(STROKES) ?? 0 }
  }

  onSessionCreated(context: MachineContext, session: SessionInfo): void {
    context.state.set(`${SESSIONS.from}${session.id}`, session.id)
  }

  onSessionExpired(context: MachineContext, session: SessionInfo): void {
    context.state.delete(`${SESSIONS.from}${session.id}`)
  }
}

/** A bell for one process; `hints`: of its strokes the oldest may go where an outbox is full. */
export function bell(hints: boolean): BareMachine {
  return bare('bell', new Bell({ overflow: hints ? 'dropOldest' : 'reject' }))
}
