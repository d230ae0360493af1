import { existsSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { loadModule } from '../machines/load-module.ts'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'

/** A configuration file as it stands: nothing of it is checked but that it is a record. */
export interface ConfigFile {
  readonly path: string
  /** As a person calls it: its name, or its path from here. */
  readonly shown: string
  readonly values: { readonly [name: string]: unknown }
}

const NAMES = ['ts', 'mjs', 'js', 'yaml'].map((extension) => `holdfast.config.${extension}`)

/**
 * The file that `given` names, else the one of this directory, else null. Rejects with CommandError when the named one is
 * not there, when two lie here, and when it cannot be read (with the line).
 */
export async function readConfigFile(
  given: { readonly path: string; readonly origin: string } | null,
): Promise<ConfigFile | null> {
  const path = given === null ? foundHere() : resolve(given.path)
  if (path === null) return null
  const origin = given?.origin ?? basename(path)
  if (!existsSync(path)) throw usageError(`${origin}: there is no file ${path}`, 'Name a file that exists.')
  const shown = relative(process.cwd(), path)
  const values = /\.ya?ml$/.test(path) ? await readYaml(path, shown) : (await loadModule(path, origin))['default']
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    const cure = 'In YAML write names and values; a module says: export default defineConfig({ … }).'
    throw new CommandError(EXIT.usage, `${shown} holds no settings`, cure)
  }
  return { path, shown, values: { ...values } }
}

function foundHere(): string | null {
  const [first, second] = NAMES.filter((name) => existsSync(name))
  if (first !== undefined && second !== undefined) {
    throw usageError(`${first} and ${second} both lie here`, 'Remove one of them, or name one with --config.')
  }
  return first === undefined ? null : join(process.cwd(), first)
}

async function readYaml(path: string, shown: string): Promise<unknown> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(readFileSync(path, 'utf8'))
  const [error] = document.errors
  if (error !== undefined) {
    throw new CommandError(
      EXIT.usage,
      `${shown}: ${error.message.split('\n')[0]?.replace(/:$/, '')}`,
      'Correct the file.',
    )
  }
  // An empty file says nothing, which is no mistake.
  return document.toJS() ?? {}
}
