import type { Millis } from '../../base/brand.ts'
import type { ScheduleCalls, ScheduleDefinition, ScheduleStatus } from '../../session/schedule.ts'

/** What the schedules of a machine need of its context. */
export interface ScheduleParts {
  readonly machine: string
  readonly kinds: ReadonlySet<string>
  /** The schedules of the open window, noting that it changes something. */
  changing(): ScheduleCalls
  /** The same, to look at. */
  reading(): ScheduleCalls
}

/** `KitSchedules` of define/context.ts, without the types of a particular schema. The session layer's name is `kind/key`. */
export class NamedSchedules {
  private readonly parts: ScheduleParts

  constructor(parts: ScheduleParts) {
    this.parts = parts
  }

  put(kind: string, definition: ScheduleDefinition, key = ''): boolean {
    return this.parts.changing().put(this.parts.machine, this.nameOf(kind, key), definition)
  }

  pause(kind: string, key = ''): boolean {
    return this.parts.changing().pause(this.parts.machine, this.nameOf(kind, key))
  }

  resume(kind: string, key = ''): boolean {
    return this.parts.changing().resume(this.parts.machine, this.nameOf(kind, key))
  }

  backfill(kind: string, range: { readonly from: Millis; readonly to: Millis }, key = ''): boolean {
    return this.parts.changing().backfill(this.parts.machine, this.nameOf(kind, key), range)
  }

  cancel(kind: string, key = ''): boolean {
    // Of any kind: a migration takes away what an earlier version has declared.
    return this.parts.changing().cancel(this.parts.machine, nameOf(kind, key))
  }

  end(kind: string, run: number, key = ''): boolean {
    return this.parts.changing().end(this.parts.machine, this.nameOf(kind, key), run)
  }

  find(kind: string, key = ''): ScheduleStatus | null {
    return this.parts.reading().find(this.parts.machine, this.nameOf(kind, key))
  }

  private nameOf(kind: string, key: string): string {
    const { machine, kinds } = this.parts
    if (!kinds.has(kind)) throw new Error(`${machine} declares no schedule ${kind}`)
    return nameOf(kind, key)
  }
}

function nameOf(kind: string, key: string): string {
  return key === '' ? kind : `${kind}/${key}`
}
