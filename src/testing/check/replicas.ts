import type { Entry } from '../../codec/entry/entry.ts'
import { sessionCodec } from '../../codec/session-codec.ts'
import type { Value } from '../../codec/value/value.ts'
import type { Mountable } from '../../machine/index.ts'
import type { MachineReport } from '../../session/machine-report.ts'
import { SessionStateMachine } from '../../session/session-state-machine.ts'
import type { Applied } from '../../session/state-machine.ts'
import type { UserStateMachine } from '../../session/user-machine.ts'
import { withDeterminismGuard } from '../../assembly/development/determinism-guard.ts'
import { ProbedMachines } from '../machine/probed-machines.ts'
import { StateRows } from '../machine/state-rows.ts'
import { thrownBy } from '../machine/thrown-by.ts'
import { elsewhere } from './elsewhere.ts'

/** What a machine must not do, with the entry at which it shows. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure'
}

const NO_REPORT = (): void => undefined

/**
 * Replicas of the machines that apply the same log, compared after every entry: the first one answers and is guarded, another
 * one is restored from a snapshot before each entry. `replay` adds one that applies all of it later.
 *
 * PERF: the replica elsewhere is one of those, since a change of the zone for each entry cost more than all the rest.
 */
export class Replicas {
  readonly probed: ProbedMachines
  readonly first: SessionStateMachine
  readonly rows: StateRows
  /** Running hash and answer after each entry, by its index. */
  private readonly hashes: string[] = []
  private readonly replies: string[] = []
  private readonly machines: readonly Mountable[]
  private readonly other: UserStateMachine
  private readonly copies = new RowCopies()
  private last: Entry | null = null
  private thrown: Error | null = null

  constructor(machines: readonly Mountable[], options: { readonly guard: boolean }) {
    this.machines = machines
    this.probed = new ProbedMachines(machines)
    const watched = watchInputs(this.probed.mount.userMachine, (machine, command) => {
      this.thrown ??= new Error(`command ${machine}.${command} changed its input: change a copy`)
    })
    this.first = machineOf(options.guard ? withDeterminismGuard(watched) : watched, (told) => {
      if (told.kind === 'failure') this.thrown ??= thrownBy(told)
    })
    this.rows = new StateRows(this.first)
    this.other = new ProbedMachines(machines).mount.userMachine
  }

  /** Applies an entry on all of them. Throws CheckFailure. */
  apply(entry: Entry, recordBytes: number): Applied {
    const restored = this.restored()
    const applied = this.first.apply(entry, recordBytes)
    this.last = entry
    this.hashes[entry.index] = this.first.stateHash()
    this.replies[entry.index] = render(applied.reply)
    this.throwFound()
    if (restored !== null) this.applyOn(restored, entry, 'a replica restored from a snapshot')
    return applied
  }

  /** Throws what the first replica's machines threw since the last time. */
  throwFound(): void {
    const { thrown } = this
    this.thrown = null
    if (thrown !== null)
      throw new CheckFailure(`a machine failed: ${thrown.name}: ${thrown.message}`, { cause: thrown })
  }

  /** Applies the same log once more, on a new replica: in another time zone and locale, or simply later. */
  replay(entries: readonly Entry[], where: 'elsewhere' | 'later'): void {
    const machine = machineOf(new ProbedMachines(this.machines).mount.userMachine, NO_REPORT)
    const who = where === 'later' ? 'a replica started later' : 'a replica in another time zone and locale'
    const run = (): void => {
      for (const entry of entries) this.applyOn(machine, entry, who)
    }
    if (where === 'elsewhere') elsewhere(run)
    else run()
  }

  private restored(): SessionStateMachine | null {
    const { last } = this
    if (last === null || last.index < 2) return null
    const machine = machineOf(this.other, NO_REPORT)
    for (const [key, row] of this.rows.all()) {
      machine.restoreRow(key, this.copies.of(row))
    }
    machine.restored({ index: last.index, term: 1, lease: last.lease, now: last.now })
    return machine
  }

  private applyOn(machine: SessionStateMachine, entry: Entry, who: string): void {
    const found = render(machine.apply(entry, entry.payload.length).reply)
    const expected = this.replies[entry.index]
    const place = `entry ${entry.index} (${entry.kind})`
    if (expected !== found)
      throw new CheckFailure(`${who} answers ${place} with ${found} instead of ${expected}: ${OUTSIDE}`)
    if (machine.stateHash() === this.hashes[entry.index]) return
    throw new CheckFailure(`${who} has another state after ${place}: ${OUTSIDE}`)
  }
}

/**
 * Rows as a snapshot carries them: encoded and decoded. PERF: once for each row, not for each entry; what is
 * restored is frozen, so nobody can change a copy that is given again.
 */
class RowCopies {
  private readonly known = new WeakMap<object, Value>()

  of(row: Value): Value {
    // A row that has no object of its own may be another one the next time.
    if (typeof row !== 'object' || row === null) return copyOf(row)
    const known = this.known.get(row)
    if (known !== undefined) return known
    const copy = copyOf(row)
    this.known.set(row, copy)
    return copy
  }
}

const copyOf = (row: Value): Value => sessionCodec.decodeValue(sessionCodec.encodeValue(row))

const OUTSIDE = 'the machine keeps something outside its tables, or depends on its process'

function machineOf(user: UserStateMachine, report: (told: MachineReport) => void): SessionStateMachine {
  return new SessionStateMachine(user, sessionCodec, { report })
}

/** The same machine; `changed` hears of commands whose handler changed the input that it was given. */
function watchInputs(user: UserStateMachine, changed: (machine: string, command: string) => void): UserStateMachine {
  return new Proxy(user, {
    get: (target, property) => {
      const member: unknown = Reflect.get(target, property, target)
      if (property !== 'apply') return typeof member === 'function' ? (member.bind(target) as unknown) : member
      const apply: UserStateMachine['apply'] = (context, command) => {
        const before = render(command.input)
        try {
          return target.apply(context, command)
        } finally {
          if (render(command.input) !== before) changed(command.machine, command.command)
        }
      }
      return apply
    },
  })
}

function render(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (part instanceof Uint8Array ? { bytes: [...part] } : part))
}
