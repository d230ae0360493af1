import type { MachineSchema, TablesRef } from '../../machine/index.ts'
import { tablesOf } from '../../machine/index.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { ProbedMachines } from '../machine/probed-machines.ts'
import type { TypedMachines } from '../machines.ts'

type Read = (tables: TablesRef) => unknown

/** Looks into the tables of all machines that are defined; bare ones have none. */
export class WorkloadTablesReader {
  private readonly first: string | null
  private readonly references: readonly (readonly [name: string, reference: TablesRef])[]

  constructor(machines: TypedMachines) {
    const defined = machines.filter((machine) => machine.kind === 'definition')
    this.first = defined[0]?.name ?? null
    this.references = defined.map(({ name, schema }) => [name, tablesOf<MachineSchema>(name, schema)])
  }

  /** Runs `look` with the tables as of the entry applied last, and gives what it returns. */
  read<Result>(
    { probed, state }: { readonly probed: ProbedMachines; readonly state: SessionStateMachine },
    look: (tables: { readonly [machine: string]: unknown }) => Result,
  ): Result {
    const { first, references } = this
    if (first === null) return look({})
    return probed.read<unknown, Read, Result>(state, first, (own, read) =>
      look(Object.fromEntries(references.map(([name, reference]) => [name, name === first ? own : read(reference)]))),
    )
  }
}
