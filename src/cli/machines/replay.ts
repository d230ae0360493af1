import { assert } from '../../base/assert.ts'
import { replayBackup } from '../../host/backup/replay-backup.ts'
import { replayDirectory } from '../../host/stopped/replay-directory.ts'
import type { Value } from '../../client/index.ts'
import { backupBytes, requireFile } from '../backup/backup-places.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { EXIT, type ExitCode } from '../terminal/exit.ts'
import { print, printJson, withCommas } from '../terminal/output.ts'
import { jsonOfValue } from './json-value.ts'
import { loadMachines } from './load-machines.ts'

type ReplayReport = Awaited<ReturnType<typeof replayDirectory>>

/** Options of `holdfast replay`. */
export interface ReplayFlags extends TypedFlags {
  /** Module with the machines that ran, to tell the row that differs. */
  readonly against?: string
  /** A backup, in place of a directory. */
  readonly backup?: string
  readonly json?: true
}

/**
 * `holdfast replay`: applies the history of a stopped node, or of a backup, again with the machines of a module. Exit code 0
 * when they make the same states, 4 when they make others or must not apply an entry.
 */
export async function replayMachines(flags: ReplayFlags): Promise<ExitCode> {
  const { backup } = flags
  if (backup !== undefined) requireFile(backup)
  const { values, origins } = await readSettings(flags, backup === undefined ? ['data', 'machines'] : ['machines'])
  const { data = '', machines } = values
  assert(machines !== undefined, 'required settings are there', { values })
  const next = await loadMachines(machines, origins.machines)
  const old = flags.against === undefined ? null : await loadMachines(flags.against, '--against')
  const report =
    backup === undefined
      ? await replayDirectory(data, next, old)
      : await replayBackup(() => backupBytes(backup), next, old)
  const equal = report.differsAt === null && report.halted === null && report.parted === null
  if (flags.json === true) printJson({ equal, ...report, parted: plainParted(report) })
  else print(textOf(report))
  return equal ? EXIT.ok : EXIT.refused
}

function plainParted({ parted }: ReplayReport): object | null {
  if (parted === null || parted.row === null) return parted
  const { key, path, before, after } = parted.row
  return { index: parted.index, row: { key, path, before: plain(before), after: plain(after) } }
}

const plain = (value: Value | undefined): unknown => (value === undefined ? null : jsonOfValue(value))

function textOf({ from, to, compared, equalTo, differsAt, oldDiffersAt, halted, parted }: ReplayReport): string {
  const lines = [`entries ${withCommas(from)} to ${withCommas(to)} applied, ${compared} noted states compared`]
  if (halted !== null)
    lines.push(`the ${halted.build} machines stop at entry ${halted.index}: ${halted.message} (${halted.code})`)
  if (differsAt !== null)
    lines.push(`another state than the node's own is known from entry ${differsAt} on; equal up to ${equalTo}`)
  if (oldDiffersAt !== null) {
    lines.push(
      `the old machines make another state than the node's own, known from entry ${oldDiffersAt} on: they are not what ran`,
    )
  }
  if (parted !== null) {
    lines.push(`old and new part at entry ${parted.index}`)
    const { row } = parted
    if (row === null) lines.push('no row differs: the answer to that entry does')
    else {
      const place = row.path === '' ? row.key : `${row.key} ${row.path}`
      lines.push(`${place}: ${shown(row.before)} with the old, ${shown(row.after)} with the new`)
    }
  }
  if (lines.length === 1) lines.push('the same states')
  return lines.join('\n')
}

const shown = (value: Value | undefined): string =>
  value === undefined ? 'nothing' : JSON.stringify(jsonOfValue(value))
