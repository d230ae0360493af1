import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { foreignName, holderOf } from '../../host/stopped/directory-files.ts'
import type { MachineIdentity } from '../../machine/index.ts'
import { MEMBERS_FILE } from '../cluster/local-cluster.ts'
import { CommandError, EXIT } from '../terminal/exit.ts'

const note = z.object({
  machines: z
    .array(z.object({ name: z.string(), version: z.number(), schema: z.string(), code: z.string() }))
    .nullable(),
})

/** The directory of a cluster's node, beside MEMBERS_FILE. */
const NODE = /^n\d$/

/**
 * A data directory of `dev`, with a note beside it (`data/dev.json` of `data/dev`) that says so and which machines ran
 * there last. Only a directory with a note is ever emptied.
 */
export class DevData {
  readonly directory: string
  private readonly file: string

  /** Makes the note when the directory is not there or empty: then it is this command's. */
  constructor(directory: string) {
    this.directory = directory
    this.file = `${resolve(directory)}.json`
    if (isEmpty(directory) && !existsSync(this.file)) this.write(null)
  }

  /** The machines that ran there last; null: nobody knows. */
  get machines(): readonly MachineIdentity[] | null {
    return this.read()?.machines ?? null
  }

  remember(machines: readonly MachineIdentity[]): void {
    if (this.read() !== null) this.write(machines)
  }

  /** Removes everything in the directory. Refuses one that `dev` did not make, and one that a process has open. */
  reset(): void {
    if (this.read() === null) {
      const message = `${this.directory} was not made by this command, so it is not emptied`
      throw new CommandError(EXIT.failure, message, 'Name another directory with --data, or remove it yourself.')
    }
    const open = [this.directory, ...this.members()].map(holderOf).find((holder) => holder !== null) ?? null
    if (open !== null) {
      const message = `${this.directory} is open in process ${open.pid}, so it is not emptied`
      throw new CommandError(EXIT.failure, message, 'Stop that process, or name another directory with --data.')
    }
    const foreign = this.foreign()
    if (foreign !== null) {
      const message = `${foreign} is no file of Holdfast's, so ${this.directory} is not emptied`
      throw new CommandError(EXIT.failure, message, 'Move it elsewhere, or name another directory with --data.')
    }
    rmSync(this.directory, { recursive: true, force: true })
    this.write(null)
  }

  /** What neither a node nor this command made, in the directory of one node or in those of a cluster; null: nothing. */
  private foreign(): string | null {
    if (!existsSync(join(this.directory, MEMBERS_FILE))) return foreignIn(this.directory)
    const others = this.members().filter((path) => basename(path) !== MEMBERS_FILE)
    return (
      others.map((path) => (NODE.test(basename(path)) ? foreignIn(path) : path)).find((path) => path !== null) ?? null
    )
  }

  private members(): string[] {
    if (!existsSync(this.directory)) return []
    return readdirSync(this.directory).map((name) => join(this.directory, name))
  }

  private read(): z.infer<typeof note> | null {
    if (!existsSync(this.file)) return null
    try {
      return note.parse(JSON.parse(readFileSync(this.file, 'utf8')))
    } catch {
      return null
    }
  }

  private write(machines: readonly MachineIdentity[] | null): void {
    try {
      mkdirSync(dirname(this.file), { recursive: true })
      writeFileSync(this.file, `${JSON.stringify({ machines })}\n`)
    } catch {
      // The node itself tells what is wrong with the place; without a note nothing is ever emptied.
    }
  }
}

/** Nothing is there, or nothing in it. Of a place that is no directory, the node itself tells what is wrong. */
function isEmpty(directory: string): boolean {
  try {
    return readdirSync(directory).length === 0
  } catch {
    return !existsSync(directory)
  }
}

function foreignIn(directory: string): string | null {
  const name = foreignName(directory)
  return name === null ? null : join(directory, name)
}
