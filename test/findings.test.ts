import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { filesBelow, ROOT, read } from './tidy/tree.ts'

const FIELDS = ['Expected:', 'Instead:', 'Versions:', 'Matters:', 'Source:']
const PINNED = /^((?:@[\w.-]+\/)?[a-z][\w.-]*)@(\d+\.\d+\.\d+)$/

const names = filesBelow('findings').filter((path) => path.endsWith('.sh'))
const rows = new Map(
  [...read('findings/README.md').matchAll(/^\| `([\w-]+\.sh)` \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    (row) => [row[1] ?? '', { library: row[2] ?? '', behaviour: row[3] ?? '' }] as const,
  ),
)

/** The comment that follows the first line, up to the first line that is none. */
function headerOf(source: string): readonly string[] {
  const lines = source.split('\n').slice(1)
  const end = lines.findIndex((line) => !line.startsWith('#'))
  return lines.slice(0, end)
}

/** What is wrong with the form of one script; nothing is run. */
function violationsOf(source: string, library: string): readonly string[] {
  const wrong: string[] = []
  if (!source.startsWith('#!/usr/bin/env bash\n# ')) wrong.push('does not begin with the bash line and a comment')
  const header = headerOf(source).join('\n')
  const places = FIELDS.map((field) => header.indexOf(`# ${field} `))
  if (places.some((place, index) => place <= (places[index - 1] ?? 0)))
    wrong.push(`its header lacks one of ${FIELDS.join(' ')} in this order`)
  if (!source.includes('\nset -euo pipefail\n')) wrong.push('does not set -euo pipefail')
  if (!/^folder=\$\(mktemp -d\)$/m.test(source)) wrong.push('makes no temporary folder')
  if (!source.includes(`\ntrap 'rm -rf "$folder"' EXIT\ncd "$folder"\n`))
    wrong.push('does not remove its folder at exit')
  for (const spec of installedBy(source)) {
    const [, name, version] = PINNED.exec(spec) ?? []
    if (name === undefined || version === undefined) wrong.push(`installs ${spec}, which is not pinned`)
    else if (!library.includes(`${name} ${version}`)) wrong.push(`installs ${spec}, which its row does not name`)
  }
  if (/\bnpx |--registry|https?:\/\/(?!127\.0\.0\.1|\$)/.test(source)) wrong.push('names a host or runs npx')
  return wrong
}

/** Packages in the script's calls of npm install. */
function installedBy(source: string): readonly string[] {
  const calls = [...source.matchAll(/^[^#\n]*\bnpm (?:install|i|add|ci|exec)\b([^>|&;\n]*)/gm)]
  return calls.flatMap((call) => (call[1] ?? '').split(/\s+/).filter((word) => word !== '' && !word.startsWith('--')))
}

describe('the findings', () => {
  test('every script has its row in the README, and every row its script', () => {
    expect([...rows.keys()].sort()).toEqual(names)
    expect(names.length).toBeGreaterThan(0)
  })

  test.each(names)('%s can be run by itself', (name) => {
    expect(statSync(join(ROOT, 'findings', name)).mode & 0o111).toBe(0o111)
  })

  test.each(names)('%s has the form that the README states', (name) => {
    expect(violationsOf(read(`findings/${name}`), rows.get(name)?.library ?? '')).toEqual([])
  })

  test('the files of ours that the README names are there', () => {
    const named = [...read('findings/README.md').matchAll(/`((?:src|docs|test)\/[\w./-]+)`/g)].map(
      (match) => match[1] ?? '',
    )
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
    expect(named.length).toBeGreaterThan(0)
  })

  test('each behaviour is one sentence', () => {
    expect([...rows.values()].filter(({ behaviour }) => !/^[A-Z][^.]*(?:\.\w[^.]*)*\.$/.test(behaviour))).toEqual([])
  })
})

describe('the rules of the form', () => {
  const good = [
    '#!/usr/bin/env bash',
    '# A claim.',
    ...FIELDS.map((field) => `# ${field} words`),
    'set -euo pipefail',
    'folder=$(mktemp -d)',
    `trap 'rm -rf "$folder"' EXIT`,
    'cd "$folder"',
    'npm install --no-audit @scope/one@1.2.3 two@0.1.0 > npm.log',
    '',
  ].join('\n')
  const row = '@scope/one 1.2.3, two 0.1.0'

  test('a script of the right form passes', () => {
    expect(violationsOf(good, row)).toEqual([])
  })

  test.each([
    ['another shell', good.replace('env bash', 'env sh'), row],
    ['a header without its source', good.replace('# Source: words\n', ''), row],
    ['a header in another order', good.replace('Expected:', 'Instead:'), row],
    ['no strict mode', good.replace('set -euo pipefail\n', ''), row],
    ['no folder of its own', good.replace('mktemp -d', 'pwd'), row],
    ['a folder that stays', good.replace('rm -rf', 'ls'), row],
    ['a range', good.replace('two@0.1.0', 'two@^0.1.0'), row],
    ['no version', good.replace('two@0.1.0', 'two'), row],
    ['a version that the row lacks', good, '@scope/one 1.2.3, two 0.2.0'],
    ['a host', good.replace('--no-audit', '--registry=somewhere'), row],
  ])('%s is found', (_, source, library) => {
    expect(violationsOf(source, library)).toHaveLength(1)
  })
})
