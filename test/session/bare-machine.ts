import type { Value } from '../../src/codec/value/value.ts'
import type { MachineCommand, MachineContext, Outcome, UserStateMachine } from '../../src/session/user-machine.ts'

export type Handler = (context: MachineContext, input: Value) => unknown

export interface BareMachine extends UserStateMachine {
  /** Commands that ran, by name. */
  readonly calls: string[]
}

/**
 * A user machine out of plain handlers: one that returns an outcome (an object with a `kind`) is taken at its word, any
 * other value is the response.
 */
export function bareMachine(handlers: Record<string, Handler>, hooks: Partial<UserStateMachine> = {}): BareMachine {
  const calls: string[] = []
  return {
    calls,
    apply(context: MachineContext, { command, input }: MachineCommand): Outcome {
      calls.push(command)
      const handler = handlers[command]
      if (handler === undefined) return reject('UNKNOWN_COMMAND')
      const result = handler(context, input)
      if (typeof result === 'object' && result !== null && ('kind' in result || 'then' in result))
        return result as Outcome
      return { kind: 'value', value: result as Value }
    },
    onSessionCreated: () => undefined,
    onSessionExpired: () => undefined,
    ...hooks,
  }
}

export const reject = (code: string, details: Value = null): Outcome => ({ kind: 'reject', code, details })

export const number = (value: Value | undefined): number => (typeof value === 'number' ? value : 0)

/** Adds 1 to a row; emits a server request to its own session; refuses; throws. */
export const counterHandlers: Record<string, Handler> = {
  increment: (context) => {
    const next = number(context.state.get('count')) + 1
    context.state.set('count', next)
    return next
  },
  emit: (context, input) => {
    const own = context.session
    if (own === null) return false
    return context.emit(own.id, 'event', input)
  },
  refuse: (context) => {
    context.state.set('count', -1)
    if (context.session !== null) context.emit(context.session.id, 'event', null)
    return reject('NO', { why: 'test' })
  },
  explode: (context) => {
    context.state.set('count', -2)
    throw new Error('a bug')
  },
}

export const counter = (): BareMachine => bareMachine(counterHandlers)
