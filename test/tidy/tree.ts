import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout's own directory. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const NOT_OURS = new Set(['node_modules', 'dist', 'coverage', '.git', 'data', 'results', '.mutants'])
const TEXT = new Set([
  '.py',
  '.go',
  '.ts',
  '.mjs',
  '.js',
  '.json',
  '.md',
  '.proto',
  '.yaml',
  '.yml',
  '.txt',
  '.sh',
  '',
  '.html',
  '.css',
])

/** Paths of the text files below a folder of the checkout, relative to that folder, sorted. */
export function filesBelow(folder: string): string[] {
  const found: string[] = []
  const visit = (relative: string): void => {
    for (const item of readdirSync(join(ROOT, folder, relative), { withFileTypes: true })) {
      if (NOT_OURS.has(item.name) || item.name.startsWith('.dist-')) continue
      const path = relative === '' ? item.name : `${relative}/${item.name}`
      if (item.isDirectory()) visit(path)
      else if (item.isFile() && TEXT.has(extname(item.name))) found.push(path)
    }
  }
  visit('')
  return found.sort()
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Texts of the TypeScript files below a folder, by path below it. */
export function sourcesBelow(folder: string): Map<string, string> {
  const paths = filesBelow(folder).filter((path) => path.endsWith('.ts'))
  return new Map(paths.map((path) => [path, read(`${folder}/${path}`)]))
}

/** What a reader of the README's tree expects to find: the top level and the folders of src/. */
export function realTree(): string[] {
  const top = readdirSync(ROOT, { withFileTypes: true })
    .filter((item) => !NOT_OURS.has(item.name) && (!item.name.startsWith('.') || item.name === '.ci'))
    .map((item) => (item.isDirectory() ? `${item.name}/` : item.name))
  const source = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).map((item) =>
    item.isDirectory() ? `src/${item.name}/` : `src/${item.name}`,
  )
  return [...top, ...source].sort()
}

/**
 * The paths in the README's tree: the first code block below the heading "The tree", one path per line with its
 * explanation after two spaces, the children of a folder indented below it.
 */
export function treeInReadme(readme: string): string[] {
  const block = /^## The tree\n[\s\S]*?```\w*\n([\s\S]*?)```/m.exec(readme)?.[1]
  if (block === undefined) return []
  const parents: string[] = []
  const found: string[] = []
  for (const line of block.split('\n')) {
    const match = /^((?: {2})*)([^\s]+)(?:\s{2,}.*)?$/.exec(line)
    if (match === null) continue
    const depth = (match[1] ?? '').length / 2
    parents.length = depth
    const path = parents.join('') + (match[2] ?? '')
    parents.push(match[2] ?? '')
    found.push(path)
  }
  return found.sort()
}
