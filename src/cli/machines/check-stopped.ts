import { checkDirectory } from '../../host/stopped/check-directory.ts'
import type { Description, Mountable } from '../../machine/index.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { descriptionDifference } from './description-difference.ts'
import { type DeclaredMachine, declaredMachines } from './machine-sides.ts'

type StoppedMachines = Awaited<ReturnType<typeof checkDirectory>>
type NeededMachine = StoppedMachines['needed'][number]

/** One version of a machine that a directory names, or a module has: a line of `machine check --data`. */
export interface StoppedLine {
  readonly machine: string
  readonly version: number
  /** `missing`, `differs`: a start halts. `newer`, `new`: the module has it, and the log does not name it yet. */
  readonly verdict: 'ok' | 'missing' | 'differs' | 'newer' | 'new'
  /** Entry from which on it is applied; null: none. */
  readonly from: number | null
  /** The log runs it at its end. */
  readonly active: boolean
  /** Against what the node noted of it; null: it noted nothing, or the module does not have it. */
  readonly handlers: 'same' | 'changed' | null
  /** The first place of the description that differs; null: none, or it is not known. */
  readonly path: string | null
  readonly message: string
}

/** The two modules of `machine check --data`: `against`, if given, is the one that ran, and tells where schemas part. */
export interface CheckedModules {
  readonly machines: readonly Mountable[]
  readonly against: readonly Mountable[] | null
}

/**
 * `holdfast machine check --data`: what the log and the snapshot of a stopped node name, against a module. Exit code 4 when a
 * start with the module would halt. Rejects with StartError when the directory cannot be read.
 */
export async function checkStopped(data: string, modules: CheckedModules, form: ListingForm): Promise<ExitCode> {
  const stopped = await checkDirectory(data, modules.machines)
  const lines = stoppedLines(stopped, modules)
  printListing(form, {
    name: 'machines',
    lines,
    columns: {
      machine: (line) => line.machine,
      version: (line) => line.version,
      active: (line) => (line.active ? 'yes' : 'no'),
      'from entry': (line) => line.from,
      verdict: (line) => line.verdict,
      handlers: (line) => line.handlers,
      message: (line) => line.message,
    },
  })
  return lines.some(({ verdict }) => verdict === 'missing' || verdict === 'differs') ? EXIT.refused : EXIT.ok
}

/** In the order of the log, then what only the module has. */
export function stoppedLines({ needed, recordedBy }: StoppedMachines, modules: CheckedModules): StoppedLine[] {
  const declared = declaredMachines(modules.machines)
  const before = modules.against === null ? [] : declaredMachines(modules.against)
  const lines = needed.map((each) => {
    const own = declared.find(({ name, version }) => name === each.machine && version === each.version) ?? null
    return lineOf(each, { own, before, recorded: codeIn(recordedBy, each) })
  })
  const later = declared.filter(({ name, version }) =>
    needed.every((each) => each.machine !== name || each.version < version),
  )
  return [...lines, ...later.map((build) => laterLine(build, needed))]
}

interface Sides {
  /** The module's; null: it is not there. */
  readonly own: DeclaredMachine | null
  readonly before: readonly DeclaredMachine[]
  /** Fingerprint of the handlers that ran; null: not known. */
  readonly recorded: string | null
}

function lineOf({ machine, version, schema, index, active, halt }: NeededMachine, sides: Sides): StoppedLine {
  const { own, recorded } = sides
  const handlers = own === null || recorded === null ? null : own.code === recorded ? 'same' : 'changed'
  const line = { machine, version, from: index, active, handlers, path: null } as const
  if (halt === null) {
    const changed = 'the handlers have another source text than those that ran: `holdfast replay` tells what they make'
    return { ...line, verdict: 'ok', message: handlers === 'changed' ? changed : 'a start applies it' }
  }
  if (own === null) return { ...line, verdict: 'missing', message: halt.message }
  const place = placeOf(own, sides.before.find((build) => isNamed(build, { machine, version, schema })) ?? null)
  if (place === null) return { ...line, verdict: 'differs', message: halt.message }
  const { path, before, after } = place
  const message = `${path} was ${before ?? 'absent'}, and is ${after ?? 'absent'} in the module; make it version ${version + 1}`
  return { ...line, verdict: 'differs', path, message }
}

function placeOf(own: DeclaredMachine, before: DeclaredMachine | null): ReturnType<typeof descriptionDifference> {
  if (before === null || before.description === '' || own.description === '') return null
  return descriptionDifference(
    JSON.parse(before.description) as Description,
    JSON.parse(own.description) as Description,
  )
}

/** The very build that the log names. */
function isNamed(build: DeclaredMachine, named: Pick<NeededMachine, 'machine' | 'version' | 'schema'>): boolean {
  return build.name === named.machine && build.version === named.version && build.schema === named.schema
}

function laterLine({ name: machine, version }: DeclaredMachine, needed: readonly NeededMachine[]): StoppedLine {
  const line = { machine, version, from: null, active: false, handlers: null, path: null } as const
  return needed.some((each) => each.machine === machine)
    ? { ...line, verdict: 'newer', message: 'the log switches to it once every voter has it' }
    : { ...line, verdict: 'new', message: 'the log does not name it; it starts once every voter has it' }
}

function codeIn(recordedBy: StoppedMachines['recordedBy'], { machine, version }: NeededMachine): string | null {
  const versions = recordedBy.find(({ name }) => name === machine)?.versions
  return versions?.find((each) => each.version === version)?.code ?? null
}
