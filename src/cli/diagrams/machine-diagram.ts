import { readFile } from 'node:fs/promises'
import { ascii, dot, type Drawable, mermaid, type Mountable } from '../../machine/index.ts'
import { PRODUCT_MACHINES } from '../../machines/index.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'
import { say } from '../terminal/output.ts'
import { loadMachines } from '../machines/load-machines.ts'

/** Options of `holdfast machine diagram`. */
export interface DiagramFlags extends TypedFlags {
  readonly format: keyof typeof WRITERS
  /** Which of the machine's graphs; it may be left out where there is one. */
  readonly graph?: string
  /** A file that has to hold the diagram, alone or within its text. */
  readonly check?: string
}

const WRITERS = {
  mermaid,
  dot,
  ascii,
  // It alone needs a library, which takes longer to load than all the rest to run.
  svg: async (graph: Drawable) => (await import('./svg.ts')).svg(graph),
} as const

/** `holdfast machine diagram`: a state graph of a machine on stdout, or compared with a committed file. */
export async function machineDiagram(name: string, flags: DiagramFlags): Promise<void> {
  const { values, origins } = await readSettings(flags)
  const machines =
    values.machines === undefined ? PRODUCT_MACHINES : await loadMachines(values.machines, origins.machines)
  const text = await WRITERS[flags.format](graphOf(machineOf(machines, name), flags.graph))
  if (flags.check === undefined) {
    process.stdout.write(text)
    return
  }
  const committed = await readFile(flags.check, 'utf8').catch((error: unknown) => {
    throw usageError(`--check: ${error instanceof Error ? error.message : String(error)}`, 'Name a file that is there.')
  })
  if (!committed.replaceAll('\r\n', '\n').includes(text)) {
    const cure = 'Write it there again: the same command without --check prints it.'
    throw new CommandError(EXIT.failure, `${flags.check} does not hold the diagram of ${name} as it is now`, cure)
  }
  say(`${flags.check} holds the diagram of ${name}`)
}

/** The highest version of that name. */
function machineOf(machines: readonly Mountable[], name: string): Mountable {
  const found = machines
    .filter((machine) => machine.name === name)
    .reduce<Mountable | null>((best, next) => ((best?.version ?? 0) >= (next.version ?? 1) ? best : next), null)
  if (found !== null) return found
  const names = [...new Set(machines.map((machine) => machine.name))].join(', ')
  throw usageError(`there is no machine ${name}; there is ${names}`, 'Name the module that exports it with --machines.')
}

function graphOf(machine: Mountable, wanted: string | undefined): Drawable {
  const graphs = machine.kind === 'definition' ? (machine.schema.graphs ?? {}) : {}
  const names = Object.keys(graphs)
  const [first] = names
  if (first === undefined) {
    const cure = 'Give its schema `graphs: { name: transitions(…) }`, or stateGraph(…).'
    throw usageError(`${machine.name} declares no graphs`, cure)
  }
  // A chart has its machine's name, beside those of the charts that it invokes.
  const chosen = wanted ?? (names.length === 1 ? first : machine.name)
  const graph = Object.hasOwn(graphs, chosen) ? graphs[chosen] : undefined
  if (graph !== undefined) return graph
  const problem = wanted === undefined ? 'has several graphs' : `has no graph ${wanted}`
  throw usageError(`${machine.name} ${problem}`, `Choose one with --graph: ${names.join(', ')}.`)
}
