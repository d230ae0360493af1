import { sessionCodec } from '../../codec/session-codec.ts'
import { mount, type MachineDefinition, type Mount, type Mountable } from '../../machine/index.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'

/** Name of the query that lets a test look into a machine's tables; no machine of a user has it. */
const PROBE = 'holdfast/probe'

/** Who looks now: one at a time, and while its query runs. */
let look: (tables: unknown, read: unknown) => void = () => undefined

/** PERF: one for each definition, so that its identity, which walks the whole schema, is made once, not by every replica. */
const PROBED = new WeakMap<MachineDefinition, MachineDefinition>()

/** Machines mounted with a way to look into their tables, as a query sees them. */
export class ProbedMachines {
  readonly mount: Mount

  constructor(machines: readonly Mountable[]) {
    this.mount = mount(
      machines.map((machine) => (machine.kind === 'definition' ? probed(machine) : machine)),
      sessionCodec,
    )
  }

  /** Runs `read` with the tables of a defined machine as of the entry applied last, and gives what it returns. */
  read<Tables, Other, Result>(
    state: SessionStateMachine,
    machine: string,
    read: (tables: Tables, others: Other) => Result,
  ): Result {
    let result: { readonly value: Result } | { readonly error: unknown } | null = null
    look = (tables: unknown, others: unknown) => {
      try {
        // The tables are those of the definition that the caller's types come from.
        result = { value: read(tables as Tables, others as Other) }
      } catch (error) {
        result = { error }
      }
    }
    state.query({ machine, query: PROBE, input: null, session: null })
    return resultOf(result, machine)
  }
}

function probed(machine: MachineDefinition): MachineDefinition {
  const known = PROBED.get(machine)
  if (known !== undefined) return known
  const { behaviour } = machine
  const handler = (tables: unknown, _input: unknown, context: unknown): null => {
    look(tables, (context as { readonly read: unknown }).read)
    return null
  }
  const made = { ...machine, behaviour: { ...behaviour, queries: { ...behaviour.queries, [PROBE]: { handler } } } }
  PROBED.set(machine, made)
  return made
}

function resultOf<Result>(
  result: { readonly value: Result } | { readonly error: unknown } | null,
  machine: string,
): Result {
  if (result === null) throw new TypeError(`there is no defined machine ${machine} here: a bare one has no tables`)
  if ('error' in result) throw result.error
  return result.value
}
