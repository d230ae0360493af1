import type { ModelEntry } from './types.ts'

/** Versions that a build has of a machine, by name, with what each declares. */
export type ModelBuild = Map<string, Map<number, string>>

/** The migration to this version fails, in the model and in the machine of the properties. */
export const FAILING = 3

/** The session layer itself; it has no rows to be migrated. */
export const OWN = 'holdfast'

/** Its commands of tasks are those of a machine of this name, which has one version. */
export const TASKS = 'task'

/** What the reference model knows of versions (sessions.md §10), and why it applies nothing more. */
export class ModelVersions {
  halted: 'MACHINE_MISSING' | 'MACHINE_DIFFERS' | 'SKIP_MISSED' | null = null
  /** The version that runs of each machine that the log has named. */
  private readonly named = new Map<string, number>()
  private readonly build: ModelBuild
  constructor(build: ModelBuild) {
    this.build = build
  }

  /** A log that has never named a version of a user machine is applied under version 1. */
  active(machine: string): number {
    return this.named.get(machine) ?? (machine === OWN || machine === TASKS || this.early ? 1 : 0)
  }

  /** Whether entries may be skipped: since version 2 of the session layer. */
  get skips(): boolean {
    return this.active(OWN) >= 2
  }

  /** Whether it is remembered what was done to dead letters: since version 3, and in logs that name no versions. */
  get remembers(): boolean {
    return this.early || this.active(OWN) >= 3
  }

  /** Whether tasks follow every room there is: since version 4. */
  get followsRoom(): boolean {
    return this.early || this.active(OWN) >= 4
  }

  /** Whether schedules owe over a pause: since version 5. */
  get owes(): boolean {
    return this.early || this.active(OWN) >= 5
  }

  private get early(): boolean {
    return ![...this.named.keys()].some((machine) => machine !== OWN)
  }

  /** Whether this build must not apply the entry; it stays so for all that follow. */
  halts(entry: ModelEntry): boolean {
    if (entry.kind === 'switch')
      for (const { machine, to, schema } of entry.advances)
        if (to > (this.named.get(machine) ?? 0)) this.halted ??= this.lacks(machine, to, schema)
    if (entry.kind === 'request' && entry.machine !== TASKS && this.early && entry.version === 1)
      this.halted ??= this.lacks(entry.machine, 1, null)
    return this.halted !== null
  }

  /** The version that the log has named; 0: none. */
  namedOf(machine: string): number {
    return this.named.get(machine) ?? 0
  }

  switchTo(machine: string, to: number): void {
    this.named.set(machine, to)
  }

  private lacks(machine: string, version: number, schema: string | null): ModelVersions['halted'] {
    const found = this.build.get(machine)?.get(version)
    if (found === undefined) return 'MACHINE_MISSING'
    return schema === null || schema === found ? null : 'MACHINE_DIFFERS'
  }
}
