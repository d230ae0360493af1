import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { program } from '../../src/cli/program.ts'
import { filesBelow, read } from '../tidy/tree.ts'

/** Where a word after `holdfast` is no command: the product's name in a sentence. */
const PROSE = ['holdfast on the command line', 'holdfast is missing', 'holdfast set-up']
const NPM_OWN = new Set(['start', 'test'])

/** Those of the checkout, and of a project that the scaffold writes. */
const SCRIPTS: { readonly [name: string]: string } = {
  ...JSON.parse(read('templates/project/package.json')).scripts,
  ...JSON.parse(read('package.json')).scripts,
}

/** Everything that a person is told: messages and comments of the sources, pages, and files of the deployment. */
const TOLD = ['src', 'bench', 'docs', 'findings', 'examples', 'proto', 'cluster', '.scripts', '.ci']
  .flatMap((folder) => filesBelow(folder).map((path) => `${folder}/${path}`))
  .concat(filesBelow('').filter((path) => !path.includes('/') && path !== 'package-lock.json'))

/** What of a text is about today: of a page, without paragraphs and sections that say that they are planned. */
function builtIn(path: string, text: string): string {
  if (!path.endsWith('.md')) return text
  const sections = text.split(/^(?=#)/m).filter((section) => !/^#+ .*\(planned\)/.test(section))
  const paragraphs = sections.flatMap((section) => section.split(/\n\s*\n|\n(?=(?:\d+\.|-) )/))
  return paragraphs.map((paragraph) => paragraph.split('**Planned:**')[0] ?? '').join('\n\n')
}

/** Commands and their options, as far as the words name some. Null: a command that there is none of. */
function resolve(words: readonly string[]): { command: Command; options: Set<string> } | null {
  let command = program(() => undefined)
  for (const word of words) {
    if (command.commands.length === 0) break
    const next = command.commands.find((candidate) => candidate.name() === word)
    if (next === undefined) return null
    command = next
  }
  return { command, options: new Set(['--help', '--version', ...command.options.flatMap(({ long }) => long ?? [])]) }
}

/** What a text names that does not exist. */
function unknownIn(text: string): string[] {
  const unknown: string[] = []
  for (const match of text.matchAll(/\bholdfast ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?([^`"'\n|]*)/g)) {
    const [whole, first = '', second, rest = ''] = match
    if (PROSE.some((prose) => whole.startsWith(prose) || `holdfast ${first}`.startsWith(prose))) continue
    const resolved = resolve(second === undefined ? [first] : [first, second])
    const said = whole.trim()
    if (resolved === null) unknown.push(said)
    else
      for (const [option] of rest.matchAll(/--[a-z][a-z-]*/g))
        if (!resolved.options.has(option)) unknown.push(`${said}: ${option}`)
  }
  for (const [whole, script = ''] of text.matchAll(/\bnpm run (?:-s |--silent )?([a-z][a-z:-]*)/g)) {
    if (SCRIPTS[script] === undefined) unknown.push(whole)
  }
  for (const [whole, name = ''] of text.matchAll(/\bnpm (start|test)\b/g)) {
    if (NPM_OWN.has(name) && SCRIPTS[name] === undefined) unknown.push(whole)
  }
  return unknown
}

describe('commands that are named', () => {
  test.each([
    'run "holdfast surgeon --data DIR"',
    'Check the name; `holdfast backup list` shows it.',
    'make it with holdfast init',
    '`holdfast start --cluster x`',
    '`holdfast payments refund`',
    'npm run surgeon',
  ])('%s: is found', (text) => {
    expect(unknownIn(text)).toHaveLength(1)
  })

  test.each([
    'npx holdfast status',
    '`holdfast payments replay FILE`',
    'holdfast start --id n1 --data d',
    'npm run -s sim',
  ])('%s: is known', (text) => {
    expect(unknownIn(text)).toEqual([])
  })

  test('by a message, a comment, the README or a page exist, or are said to be planned', () => {
    const unknown = TOLD.flatMap((path) => unknownIn(builtIn(path, read(path))).map((said) => `${path}: ${said}`))
    expect(unknown).toEqual([])
  })
})
