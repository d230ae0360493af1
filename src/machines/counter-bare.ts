import type {
  KeyCodec,
  MachineCommand,
  MachineContext,
  Outcome,
  QueryView,
  UserStateMachine,
  Value,
} from '../machine/index.ts'

const MAX = 1000

/**
 * The counter without the kit: the three functions of the session framework over one dictionary with string keys. It does
 * exactly what `counter` does, row for row, so one can replace the other under a running cluster. The codec writes the
 * keys, so that any name keeps its order and stays apart from its neighbours.
 */
export class BareCounter implements UserStateMachine {
  private readonly codec: Pick<KeyCodec, 'keyPart'>

  constructor(codec: Pick<KeyCodec, 'keyPart'>) {
    this.codec = codec
  }

  apply(context: MachineContext, command: MachineCommand): Outcome {
    const increment = command.command === 'increment' ? readIncrement(command.input) : null
    if (increment === null) return { kind: 'reject', code: 'UNKNOWN_COMMAND', details: { ...nameOf(command) } }
    const next = this.read(context, increment.name) + increment.by
    if (next > MAX) return { kind: 'reject', code: 'TOO_BIG', details: { max: MAX } }
    context.state.set(this.keyOf(increment.name), next)
    if (context.session !== null) {
      const changed = { name: increment.name, value: next }
      context.emit(context.session.id, 'counter.changed', changed, { overflow: 'dropOldest' })
    }
    return { kind: 'value', value: next }
  }

  onSessionCreated(): void {
    // A counter does not care who is connected.
  }

  onSessionExpired(): void {
    // Nor who left: the counters stay.
  }

  query(view: QueryView, request: { machine: string; query: string; input: Value }): Outcome {
    if (request.query !== 'value' || typeof request.input !== 'string') {
      return { kind: 'reject', code: 'UNKNOWN_QUERY', details: { machine: request.machine, query: request.query } }
    }
    return { kind: 'value', value: this.read(view, request.input) }
  }

  private read({ state }: Pick<QueryView, 'state'>, name: string): number {
    const value = state.get(this.keyOf(name))
    return typeof value === 'number' ? value : 0
  }

  private keyOf(name: string): string {
    return `counter/counters/${this.codec.keyPart(name)}`
  }
}

const nameOf = ({ machine, command }: MachineCommand) => ({ machine, command })

function readIncrement(input: Value): { readonly name: string; readonly by: number } | null {
  if (typeof input !== 'object' || input === null || !('name' in input) || !('by' in input)) return null
  const { name, by } = input
  return typeof name === 'string' && typeof by === 'number' ? { name, by } : null
}
