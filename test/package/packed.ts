import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { inject, onTestFinished } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { ROOT } from '../tidy/tree.ts'

/** The package as a user gets it. */
export interface Packed {
  /** What `npm pack` made of this tree. */
  readonly tarball: string
  /** A folder where it is installed, with the peers that it may have, as the lock file has them. */
  readonly installed: string
}

/**
 * Packs what is compiled and installs it, once per test run: whoever asks first does it, in whichever process, and the others
 * wait. npm takes packages from its cache where it has them.
 */
export async function packed(): Promise<Packed> {
  const folder = inject('runFolder')
  const done = join(folder, 'done.json')
  try {
    mkdirSync(join(folder, 'begun'))
    try {
      writeFileSync(`${done}.part`, JSON.stringify(await pack(folder)))
    } catch (error) {
      writeFileSync(`${done}.part`, JSON.stringify({ failure: String(error) }))
    }
    renameSync(`${done}.part`, done)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    while (!existsSync(done)) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const made: Packed | { readonly failure: string } = JSON.parse(readFileSync(done, 'utf8'))
  if ('failure' in made) throw new Error(made.failure)
  return made
}

/**
 * A folder of a user's program below the one where the package is installed, so that `holdfast` and `zod` are found; with
 * vitest and the types of Node.js beside them. It goes with the test.
 */
export async function packedProject(files: { readonly [path: string]: string }): Promise<string> {
  const { installed } = await packed()
  const directory = mkdtempSync(join(installed, 'project-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['vitest', '@types/node']) {
    const link = join(directory, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), link)
  }
  for (const [path, text] of Object.entries({ 'package.json': '{"type":"module"}', ...files })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

/** Installs packages, each a tarball or `name@version`, into a folder of their own; nothing else is in it. */
export async function install(folder: string, packages: readonly string[]): Promise<void> {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true,"type":"module"}')
  const options = ['--prefer-offline', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']
  await run('npm', ['install', ...options, ...packages], { cwd: folder })
}

/** The version of a package that this tree is tested with. */
export function lockedVersion(name: string): string {
  const lock: { packages: { [path: string]: { version?: string } } } = JSON.parse(
    readFileSync(join(ROOT, 'package-lock.json'), 'utf8'),
  )
  return lock.packages[`node_modules/${name}`]?.version ?? ''
}

const run = promisify(execFile)

async function pack(folder: string): Promise<Packed> {
  await compileOnce()
  const target = join(folder, 'tarball')
  mkdirSync(target)
  await run('npm', ['pack', '--ignore-scripts', '--loglevel=error', '--pack-destination', target], { cwd: ROOT })
  const tarball = join(target, readdirSync(target)[0] ?? '')
  const installed = join(folder, 'installed')
  const peers = ['zod', 'xstate', 'fast-check'].map((name) => `${name}@${lockedVersion(name)}`)
  await install(installed, [tarball, ...peers])
  return { tarball, installed }
}
