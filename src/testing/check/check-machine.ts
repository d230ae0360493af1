import type { Value } from '../../codec/value/value.ts'
import type { MachineDefinition, MachineSchema, Mountable, TablesRef, TableViews } from '../../machine/index.ts'
import type { ServerRequest } from '../../session/user-machine.ts'
import { CheckRun, type CheckSetting, type Reaction, type Waiting } from './check-run.ts'
import { type CheckStep, pasted } from './check-step.ts'
import { type CheckReport, CheckTally } from './check-tally.ts'
import type { FastCheck } from './input-arbitrary.ts'
import { stepsArbitrary, withOtherTexts } from './steps-arbitrary.ts'

/** How a machine is checked. */
export interface CheckOptions<Machine extends MachineDefinition> {
  /** Lists of steps that are tried. Default 100. */
  readonly runs?: number
  /** Steps in the longest list, those of `begin` not counted. Default 30. */
  readonly stepsMax?: number
  /**
   * A list begins with a part of one of these, of any length from none to all: ways to states that drawn commands hardly find.
   */
  readonly begin?: readonly (readonly CheckStep[])[]
  /** Equal seeds try equal lists. Default 1; another one searches elsewhere. */
  readonly seed?: number
  /** Machines that the checked one calls, reads or listens to. */
  readonly with?: readonly Mountable[]
  /** Machines like those of `with`, whose commands and results of tasks are drawn too: publishers, most of all. */
  readonly drive?: readonly MachineDefinition[]
  /** Roles by principal. Default `user:1` and `user:2` without one, and `worker:1` with the roles of the machine's tasks. */
  readonly principals?: { readonly [principal: string]: readonly string[] }
  /** Must hold after every entry; what returns false, or throws, does not. `waiting`: timers, waits and tasks of all. */
  readonly invariants?: {
    readonly [name: string]: (
      tables: TableViews<Machine['schema']>,
      read: ReadTables,
      waiting: Waiting,
    ) => boolean | void
  }
  /**
   * What a client sends because of a server request, each time that it is delivered. Types are `machine.type`; `principal` is
   * the client's. What it throws fails the check.
   */
  readonly react?: (request: ServerRequest, principal: string) => Reaction | readonly Reaction[] | null
  /**
   * Inputs to be drawn beside the generated ones, by command or query (`machine.command` for one that is driven), and results
   * by kind of task: for schemas whose values cannot be generated, and values that mean something.
   */
  readonly inputs?: { readonly [name: string]: readonly Value[] }
  /** What a machine may not use fails the check. Default true. */
  readonly guard?: boolean
  /** Runs exactly these steps, as a failure prints them, and generates nothing. */
  readonly replay?: readonly CheckStep[]
}

/** Reads the tables of another machine, as `ctx.read` does. */
export type ReadTables = <Other extends MachineSchema>(tables: TablesRef<Other>) => TableViews<Other>

const RUNS = 100
const STEPS_MAX = 30

/**
 * Tries to find a list of commands after which replicas of the machine would differ, or at which it throws (machines.md §6):
 * commands are generated from its schemas, every one comes twice, sessions expire, requests are redelivered, timers fire, and
 * every entry is applied by a replica restored before it, by one elsewhere and by a late one. Rejects with the shortest list
 * found, as a test to paste. Needs the package fast-check, except with `replay`.
 */
export async function checkMachine<Machine extends MachineDefinition>(
  machine: Machine,
  options: CheckOptions<Machine> = {},
): Promise<CheckReport> {
  const setting = settingOf(machine, options)
  const tally = new CheckTally()
  const run = (steps: readonly CheckStep[]): void => runOnce(setting, steps, tally)
  if (options.replay !== undefined) {
    run(options.replay)
    return tally.report(1)
  }
  const { runs = RUNS, stepsMax = STEPS_MAX, seed = 1, inputs = {}, drive = [], begin = [] } = options
  const fastCheck = await loadFastCheck()
  const principals = [...setting.principals.keys()]
  const steps = stepsArbitrary(fastCheck, { machine, drive, principals, inputs, stepsMax, begin })
  const details = fastCheck.check(fastCheck.property(steps, run), { seed, numRuns: runs })
  if (details.failed) {
    const found = details.counterexample?.[0] ?? []
    throw new Error(failureText(setting, { steps: found, seed, error: details.errorInstance }), {
      cause: details.errorInstance,
    })
  }
  for (const name of Object.keys(machine.commands)) {
    if (tally.executed(name)) continue
    throw new Error(
      `no input was generated that ${machine.name}.${name} takes: give some by { inputs: { ${name}: […] } }`,
    )
  }
  return tally.report(runs)
}

let runNumber = 0

function runOnce(setting: CheckSetting, steps: readonly CheckStep[], tally: CheckTally): void {
  const run = new CheckRun(setting, tally)
  run.run(steps)
  runNumber += 1
  run.replay(withOtherTexts(steps, `~${runNumber}`))
}

function settingOf<Machine extends MachineDefinition>(machine: Machine, options: CheckOptions<Machine>): CheckSetting {
  const { with: others = [], drive = [], guard = true, invariants = {}, react } = options
  const kinds = [machine, ...drive].flatMap(({ schema }) => Object.values(schema.tasks ?? {}))
  const roles = [...new Set(kinds.map(({ role }) => role))]
  const workers = roles.length === 0 ? {} : { 'worker:1': roles }
  return {
    machine,
    others: [...others, ...drive],
    guard,
    principals: new Map(Object.entries(options.principals ?? { 'user:1': [], 'user:2': [], ...workers })),
    // The tables that they are given are those of this very machine.
    invariants: Object.entries(invariants) as unknown as CheckSetting['invariants'],
    react: (request, principal) => {
      const reaction = react?.(request, principal) ?? []
      return 'command' in reaction ? [reaction] : reaction
    },
  }
}

function failureText(
  setting: CheckSetting,
  { steps, seed, error }: { readonly steps: readonly CheckStep[]; readonly seed: number; readonly error: unknown },
): string {
  const { machine } = setting
  const message = error instanceof Error ? error.message : String(error)
  const repeats = fails(() => runOnce(setting, steps, new CheckTally()))
  const hint = repeats
    ? ''
    : '\nIt did not happen again when the same steps were run once more in this process: the machine remembers something outside ' +
      'its tables (a variable or a cache of its module), and the list may not be the shortest.\n'
  return `${machine.name}: ${message}\n${hint}\n${steps.length} steps do it (seed ${seed}):\n\n${pasted(machine.name, steps)}`
}

function fails(run: () => void): boolean {
  try {
    run()
    return false
  } catch {
    return true
  }
}

async function loadFastCheck(): Promise<FastCheck> {
  try {
    return (await import('fast-check')).default
  } catch (error) {
    throw new Error(
      'checkMachine generates commands with fast-check, which is not installed: npm install --save-dev fast-check',
      {
        cause: error,
      },
    )
  }
}
