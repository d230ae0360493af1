import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { assertName } from '../../machine/define/define-machine.ts'
import { CommandError, EXIT, usageError } from '../terminal/exit.ts'
import { templateFolder } from './template-folder.ts'

const FOLDER = 'machines'
const LIST = 'machines.ts'
const WRITTEN = ['sample.ts', 'sample.test.ts', 'sample.mmd'] as const

/** Words that no constant may be called. */
const RESERVED =
  'arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally ' +
  'for function if implements import in instanceof interface let new null package private protected public return static ' +
  'super switch this throw true try typeof var void while with yield'

/**
 * `holdfast new machine NAME`: writes the machine with its test and diagram into the folder `machines`, and has machines.ts
 * export it.
 * Throws CommandError, and has written nothing then, for what is no name of a machine, where there is no project, and where
 * there is such a file. Gives what it has done, for a person.
 */
export function newMachine(name: string): string {
  checkName(name)
  if (!existsSync(LIST)) {
    const cure = 'Change into a project, or make one: holdfast new project DIR.'
    throw new CommandError(EXIT.failure, `there is no ${LIST} in ${process.cwd()}`, cure)
  }
  const templates = WRITTEN.map((file) => readFileSync(join(templateFolder('machine'), file), 'utf8'))
  const constant = constantFor(name, templates)
  const files = WRITTEN.map((file, at) => ({
    path: join(FOLDER, file.replace('sample', name)),
    text: named(templates[at] ?? '', name, file.endsWith('.mmd') ? name : constant),
  }))
  const there = files.find(({ path }) => existsSync(path))
  if (there !== undefined) {
    throw new CommandError(EXIT.failure, `${there.path} is there already`, 'Choose another name.')
  }
  mkdirSync(FOLDER, { recursive: true })
  for (const { path, text } of files) writeFileSync(path, text)
  const list = readFileSync(LIST, 'utf8')
  const gap = list === '' || list.endsWith('\n') ? '' : '\n'
  writeFileSync(LIST, `${list}${gap}export { ${constant} } from './${FOLDER}/${name}.ts'\n`)
  const [machine, ...beside] = files.map(({ path }) => path)
  return `${machine}, ${beside.join(' and ')} are written, and ${LIST} exports ${constant}. Next: npm test`
}

function checkName(name: string): void {
  try {
    assertName(name)
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), 'For example: holdfast new machine prices')
  }
}

/** `price-list` is `priceList`; where the template or the language has that word, `priceListMachine`. */
function constantFor(name: string, templates: readonly string[]): string {
  const constant = name.replace(/-+(.)?/g, (_match, letter: string | undefined) => (letter ?? '').toUpperCase())
  const taken = new Set([...RESERVED.split(' '), ...templates.flatMap((text) => text.match(/\w+/g) ?? [])])
  return taken.has(constant) && constant !== 'sample' ? `${constant}Machine` : constant
}

/** In quotes it is the machine's name, else the constant. */
function named(text: string, name: string, constant: string): string {
  return text
    .replaceAll(/'sample(?=['.])/g, `'${name}`)
    .replaceAll(/(?<=[./]|\b)sample(?=\.(?:ts|mmd)\b)/g, name)
    .replaceAll(/(?<!['./])\bsample\b/g, constant)
}
