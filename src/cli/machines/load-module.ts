import { existsSync, statSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs']

/**
 * What a module of the user's exports, by name. A `.ts` is read by Node.js itself where it strips types, else by jiti; both
 * take the packages that it imports as they are, so that there is one `holdfast` and one `zod`.
 *
 * Rejects with CommandError when there is no such file, when it cannot be read as code (with the line), and when it throws.
 * @param origin what named the file, e.g. `--machines`.
 */
export async function loadModule(file: string, origin: string): Promise<{ readonly [name: string]: unknown }> {
  const path = resolve(file)
  if (!existsSync(path) || !statSync(path).isFile())
    throw usageError(`${origin}: there is no file ${path}`, 'Name a module that exists.')
  if (!EXTENSIONS.includes(extname(path))) {
    throw usageError(`${origin}: ${path} is no module`, `Name a file that ends in ${EXTENSIONS.join(', ')}.`)
  }
  try {
    return await importModule(path)
  } catch (error) {
    throw await moduleError(path, error, origin)
  }
}

async function importModule(path: string): Promise<{ readonly [name: string]: unknown }> {
  const typescript = path.endsWith('ts')
  if (typescript && !stripsTypes()) return importByJiti(path)
  try {
    return await import(pathToFileURL(path).href)
  } catch (error) {
    // Enums and the like are more than types: a machine runs on every Node.js, or on none.
    if (typescript && codeOf(error) === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return importByJiti(path)
    throw error
  }
}

function stripsTypes(): boolean {
  // False, 'strip' or 'transform'; Node.js 20 does not know it.
  const mode: unknown = Reflect.get(process.features, 'typescript')
  return mode !== undefined && mode !== false
}

async function importByJiti(path: string): Promise<{ readonly [name: string]: unknown }> {
  const { createJiti } = await import('jiti')
  const loaded: unknown = await createJiti(import.meta.url, { fsCache: false, interopDefault: false }).import(path)
  return typeof loaded === 'object' && loaded !== null ? { ...loaded } : {}
}

/** Node.js does not tell where a syntax error of a module stands; jiti's parser does. Nothing of the module has run then. */
async function moduleError(path: string, error: unknown, origin: string): Promise<CommandError> {
  if (!(error instanceof SyntaxError)) return failedModule(path, error, origin)
  const placed = await importByJiti(path).then(
    () => error,
    (found: unknown) => found,
  )
  return failedModule(path, placed, origin)
}

function failedModule(path: string, error: unknown, origin: string): CommandError {
  const words = wordsOf(error)
  const place = /[^\s()]+:\d+:\d+/.exec(wordsWithStack(error).replaceAll('file://', ''))?.[0] ?? null
  const at = place === null || words.includes(place) ? '' : `, at ${place}`
  return new CommandError(EXIT.failure, `${origin}: ${path} cannot be loaded: ${words}${at}`, 'Correct the module.')
}

function wordsOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error
  return String(message)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join(' ')
}

function wordsWithStack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? '') : ''
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : null
}
