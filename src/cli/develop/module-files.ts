import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** `from './a.ts'`, `import './a.ts'`, `import('./a.ts')`, `require('./a')`: paths only, no packages. */
const LOCAL = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*['"](\.{1,2}\/[^'"\n]+)['"]/g
const ENDINGS = ['', '.ts', '.mts', '.js', '.mjs', '.json', '/index.ts', '/index.js']

/** The module and what it imports by relative paths, directly or not, as far as it is there; sorted. */
export function moduleFiles(module: string): string[] {
  const found = new Set([resolve(module)])
  for (const file of found) {
    for (const [, specifier = ''] of textOf(file).matchAll(LOCAL)) {
      const target = fileAt(resolve(dirname(file), specifier))
      if (target !== null) found.add(target)
    }
  }
  return [...found].sort()
}

/** TypeScript may call a file by the name that it is compiled to. */
function fileAt(path: string): string | null {
  const names = [...ENDINGS.map((ending) => `${path}${ending}`), path.replace(/\.(m?)js$/, '.$1ts')]
  return names.find((name) => existsSync(name) && statSync(name).isFile()) ?? null
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
