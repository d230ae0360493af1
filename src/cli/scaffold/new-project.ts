import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { packageFacts } from '../package-root.ts'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'
import { templateFolder } from './template-folder.ts'

/** What `npm install` leaves in a directory, which may be there before a project is. */
const INSTALLED: readonly string[] = ['package.json', 'package-lock.json', 'node_modules']
/** npm packs no .gitignore. */
const RENAMED: { readonly [file: string]: string } = { gitignore: '.gitignore' }

type Specs = { readonly [name: string]: string }

/** The fields of a package.json that are looked at. */
interface PackageFile {
  readonly name?: string
  readonly dependencies?: Specs
  readonly devDependencies?: Specs
  readonly [field: string]: unknown
}

/** `holdfast new project`: what to call it and where. */
export interface NewProjectFlags {
  readonly directory: string
  /** Range or path of a tarball. Default: what the directory's package.json says, else a range of this version. */
  readonly holdfast?: string
}

/**
 * Writes a project that runs (machines.md §7): a machine with its test, a client, a worker. Into an empty or missing directory,
 * or into one where only packages were installed, whose package.json keeps what it says of them. Throws CommandError for any
 * other, and has written nothing then. Gives the next steps, for a person.
 */
export function newProject({ directory, holdfast }: NewProjectFlags): string {
  const target = resolve(directory)
  assertVacant(target)
  const known = readPackage(join(target, 'package.json'))
  const spec = holdfast === undefined ? known.dependencies?.['holdfast'] : specFrom(target, holdfast)
  const source = templateFolder('project')
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(source, file)).isFile())
    .sort()
  for (const file of files) {
    const path = join(target, RENAMED[file] ?? file)
    mkdirSync(dirname(path), { recursive: true })
    if (file !== 'package.json') copyFileSync(join(source, file), path)
    else writeJson(path, projectPackage({ known, template: readPackage(join(source, file)), target, spec }))
  }
  const below = relative(process.cwd(), target)
  return nextSteps(below.startsWith('..') ? target : below)
}

function assertVacant(target: string): void {
  if (!existsSync(target)) return
  if (!statSync(target).isDirectory())
    throw usageError(`${target} is no directory`, 'Name one that is empty or missing.')
  const found = readdirSync(target).filter((name) => !INSTALLED.includes(name))
  if (found.length === 0) return
  const some = found.slice(0, 3).join(', ') + (found.length > 3 ? ', …' : '')
  const cure = 'Name an empty directory, or one that does not exist: holdfast new project DIR.'
  throw new CommandError(EXIT.failure, `${target} is not empty: it has ${some}`, cure)
}

/** A path of a tarball is written as seen from the project; anything else as it is. */
function specFrom(target: string, spec: string): string {
  if (spec.startsWith('file:') || !existsSync(spec)) return spec
  return `file:${relative(target, resolve(spec)).split(sep).join('/')}`
}

interface Merged {
  readonly known: PackageFile
  readonly template: PackageFile
  readonly target: string
  readonly spec: string | undefined
}

function projectPackage({ known, template, target, spec = `^${packageFacts().version}` }: Merged): PackageFile {
  return {
    ...known,
    ...template,
    name: known.name ?? packageName(target),
    dependencies: { ...template.dependencies, ...known.dependencies, holdfast: spec },
    devDependencies: { ...template.devDependencies, ...known.devDependencies },
  }
}

/** npm takes lower case, digits and dashes at any rate. */
function packageName(target: string): string {
  const name = basename(target)
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return name === '' ? 'machines' : name
}

function readPackage(path: string): PackageFile {
  if (!existsSync(path)) return {}
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as PackageFile // npm's form
  } catch {
    // Said below, as what is no object is.
  }
  throw new CommandError(EXIT.failure, `${path} is no package.json`, 'Correct it, or remove it.')
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}

function nextSteps(directory: string): string {
  const go = directory === '' ? [] : [`  cd ${directory}`]
  return [
    'The project is written. Next:',
    ...go,
    '  npm install',
    '  npm test',
    '  npm run dev             three processes; in other terminals:',
    '  npm run worker',
    '  npm run client -- o-1 2',
    'README.md there says what each file is.',
  ].join('\n')
}
