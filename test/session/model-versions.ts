import type { ModelEntry } from './model-types.ts'

/** Versions that a build has of a machine, by name, with what each declares. */
export type ModelBuild = Map<string, Map<number, string>>

/** The migration to this version fails, in the model and in the machine of the properties. */
export const FAILING = 3

/** What the reference model knows of versions (sessions.md §10), and why it applies nothing more. */
export class ModelVersions {
  halted: 'MACHINE_MISSING' | 'MACHINE_DIFFERS' | null = null
  failedMigrations = 0
  /** The version that runs of each machine that the log has named. */
  private readonly named = new Map<string, number>()
  private readonly build: ModelBuild
  constructor(build: ModelBuild) {
    this.build = build
  }

  /** A log that has never named a version is applied under version 1. */
  active(machine: string): number {
    return this.named.get(machine) ?? (this.named.size === 0 ? 1 : 0)
  }

  /** Whether this build must not apply the entry; it stays so for all that follow. */
  halts(entry: ModelEntry): boolean {
    if (entry.kind === 'switch')
      for (const { machine, to, schema } of entry.advances)
        if (to > (this.named.get(machine) ?? 0)) this.halted ??= this.lacks(machine, to, schema)
    if (entry.kind === 'request' && this.named.size === 0 && entry.version === 1)
      this.halted ??= this.lacks(entry.machine, 1, null)
    return this.halted !== null
  }

  /** The version whose rows are to be migrated; null: none, because nothing is switched, or nothing was there. */
  switchTo(machine: string, to: number): number | null {
    const from = this.named.get(machine) ?? 0
    if (to <= from) return null
    if (from > 0 && to === FAILING) {
      this.failedMigrations += 1
      return null
    }
    this.named.set(machine, to)
    return from > 0 ? from : null
  }

  private lacks(machine: string, version: number, schema: string | null): ModelVersions['halted'] {
    const found = this.build.get(machine)?.get(version)
    if (found === undefined) return 'MACHINE_MISSING'
    return schema === null || schema === found ? null : 'MACHINE_DIFFERS'
  }
}
