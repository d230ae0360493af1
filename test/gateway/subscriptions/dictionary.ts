import { sessionCodec } from '../../../src/codec/session-codec.ts'
import type { Value } from '../../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { MachineContext, Outcome, QueryView, UserStateMachine } from '../../../src/session/user-machine.ts'

/** Machine `t`: rows that are set and deleted, and queries that read one, several, a range, or none of them. */
class DictionaryMachine implements UserStateMachine {
  apply({ state }: MachineContext, { command, input }: { command: string; input: Value }): Outcome {
    const [key, value = null] = input as [string, Value?]
    if (command === 'delete') state.delete(key)
    else state.set(key, value)
    return command === 'take-back' ? { kind: 'reject', code: 'NO', details: null } : { kind: 'value', value: null }
  }

  onSessionCreated(): void {}
  onSessionExpired(): void {}

  query(view: QueryView, { query, input }: { query: string; input: Value }): Outcome {
    const [from = '', to = ''] = Array.isArray(input) ? input.map(String) : [String(input)]
    const value = this.answer(view, query, { from, to })
    return value === 'bad' ? { kind: 'reject', code: 'BAD', details: from } : { kind: 'value', value }
  }

  private answer(view: QueryView, query: string, { from, to }: { from: string; to: string }): Value {
    const { state } = view
    switch (query) {
      case 'first':
        return rowsOf(state.range({ from, to, limit: 1 }))
      case 'last':
        return rowsOf(state.range({ from, to, limit: 1, reverse: true }))
      case 'rows':
        return rowsOf(state.range({ from, to, limit: 100 }))
      case 'count':
        return state.count({ from, to })
      case 'sum':
        return sumOf(state, Number(from))
      case 'asker':
        return view.session?.principal ?? null
      case 'asker if':
        return state.get(from) === true ? (view.session?.principal ?? null) : null
      case 'index':
        return view.index
      case 'now':
        return view.now
      default:
        return state.get(from) ?? null
    }
  }
}

function rowsOf(rows: readonly (readonly [string, Value])[]): Value {
  return rows.map(([key, value]) => [key, value])
}

function sumOf(state: QueryView['state'], keys: number): number {
  return Array.from({ length: keys }, (_, at) => Number(state.get(`k${at}`) ?? 0)).reduce((sum, each) => sum + each, 0)
}

/** A state machine around it. */
export function dictionary(): SessionStateMachine {
  return new SessionStateMachine(new DictionaryMachine(), sessionCodec)
}
