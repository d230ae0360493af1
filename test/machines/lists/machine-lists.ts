import type { MachineDefinition } from '../../../src/machine/index.ts'
import type { CheckOptions, CheckReport, CheckStep } from '../../../src/testing/index.ts'
import type { Value } from '../../../src/codec/value/value.ts'

/** What lists of commands are drawn from for one machine, and what must hold after every entry of them. */
export interface MachineLists {
  readonly machine: MachineDefinition
  readonly options: CheckOptions<MachineDefinition>
  /** What the invariants saw so far: states, edges and the like, each as a text. */
  readonly reached: ReadonlySet<string>
  /**
   * What a thousand lists must come to, `code X` for each refusal among it and `ok X` for a command that is done. Lists that
   * never get there show nothing of it.
   */
  readonly wanted: readonly string[]
  /** What lists may miss, with why. */
  readonly rare: { readonly [what: string]: string }
}

/** Everything that lists came to: what the invariants saw, the commands that were done, and the codes of refusals. */
export function reachedBy(lists: MachineLists, { outcomes }: Pick<CheckReport, 'outcomes'>): Set<string> {
  const codes = Object.values(outcomes).flatMap((by) => Object.keys(by))
  const done = Object.entries(outcomes).flatMap(([command, by]) => ('ok' in by ? [`ok ${command}`] : []))
  return new Set([...lists.reached, ...done, ...codes.filter((code) => code !== 'ok').map((code) => `code ${code}`)])
}

/** Wanted, and not reached. */
export function missing({ wanted, rare }: MachineLists, reached: ReadonlySet<string>): string[] {
  return wanted.filter((what) => !reached.has(what) && rare[what] === undefined)
}

/** A command as a step; of another machine than the checked one where that is named. */
export function stepOf(by: string, command: string, input: Value, machine?: string): CheckStep {
  return { do: 'command', by, ...(machine === undefined ? {} : { machine }), command, input }
}
