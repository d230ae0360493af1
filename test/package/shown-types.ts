import { posix } from 'node:path'

/** Declaration files by their path below the folder of the entry points, without comments. */
export type Declarations = (path: string) => string

/** Where a type is declared, and its name there. */
interface Home {
  readonly file: string
  readonly name: string
}

/** One item of an import or export clause. */
interface Item extends Home {
  /** What it is called by whoever imports it. */
  readonly as: string
  /** As a type alone, so that a class cannot be constructed. */
  readonly typeOnly: boolean
}

const DECLARED =
  /^(?:export )?(?:default )?(?:declare )?(?:abstract )?(?:const (?=enum ))?(class|interface|type|enum|function|const) (\w+)/
const STARTS = /^(?=export |declare |abstract |interface |type |class |import )/m
const TYPES: readonly string[] = ['class', 'interface', 'type', 'enum']
const TEXTS = /'(?:[^'\\\n]|\\.)*'/g

/**
 * Named types that signatures of the entry points show and that no entry point exports, as `file:Name <- who shows it`. Read
 * from what the compiler prints, one declaration after another, because TypeScript 7 has no stable API.
 *
 * No signature are: private members; the constructor of a class that every entry exports as a type alone; and the name of a
 * type that an alias of the same file is computed with, which compilers show as what it comes to. What that one names is shown.
 */
export function unexportedTypes(entries: readonly string[], declarations: Declarations): string[] {
  return new Surface(entries, declarations).missing()
}

/** Names that entry points export with different meanings, as `Name: home home`. */
export function collidingNames(entries: readonly string[], declarations: Declarations): string[] {
  return new Surface(entries, declarations).colliding()
}

class Surface {
  private readonly declarations: Declarations
  private readonly exported = new Map<string, Item>()
  private readonly homesByName = new Map<string, Set<string>>()
  private readonly exportsByFile = new Map<string, ReadonlyMap<string, Item>>()

  constructor(entries: readonly string[], declarations: Declarations) {
    this.declarations = declarations
    for (const entry of entries) {
      for (const item of this.exportsOf(entry).values()) {
        const typeOnly = item.typeOnly && (this.exported.get(keyOf(item))?.typeOnly ?? true)
        this.exported.set(keyOf(item), { ...item, typeOnly })
        this.homesByName.set(item.as, (this.homesByName.get(item.as) ?? new Set()).add(keyOf(item)))
      }
    }
  }

  missing(): string[] {
    const found = new Map<string, Set<string>>()
    for (const item of this.exported.values()) {
      for (const home of this.shownBy(item, !item.typeOnly)) {
        const key = keyOf(home)
        if (!this.exported.has(key)) found.set(key, (found.get(key) ?? new Set()).add(item.name))
      }
    }
    return [...found].map(([key, by]) => `${key} <- ${[...by].sort().join(' ')}`).sort()
  }

  colliding(): string[] {
    return [...this.homesByName]
      .filter(([, homes]) => homes.size > 1)
      .map(([name, homes]) => `${name}: ${[...homes].sort().join(' ')}`)
      .sort()
  }

  private shownBy({ file, name }: Home, constructible: boolean, seen = new Set([name])): Home[] {
    const parts = this.declarations(file).split(STARTS)
    const imported = new Map(this.clauses(file, 'import').map((item) => [item.as, this.homeOf(item)]))
    return parts
      .filter((part) => DECLARED.exec(part)?.[2] === name)
      .flatMap((part) => {
        const alias = DECLARED.exec(part)?.[1] === 'type'
        const shown = signatureOf(part, constructible)
        return [
          ...inlineImports(file, part).map((home) => this.homeOf(home)),
          ...namesIn(shown).flatMap((id) => {
            const home = imported.get(id)
            if (home !== undefined) return this.isType(home) ? [home] : []
            const own = parts.filter((other) => DECLARED.exec(other)?.[2] === id && isTypePart(other))
            if (own.length === 0 || seen.has(id)) return []
            if (!alias || own.some((other) => other.startsWith('export '))) return [{ file, name: id }]
            return this.shownBy({ file, name: id }, false, seen.add(id))
          }),
        ]
      })
  }

  private isType({ file, name }: Home): boolean {
    return this.declarations(file)
      .split(STARTS)
      .some((part) => DECLARED.exec(part)?.[2] === name && isTypePart(part))
  }

  private exportsOf(file: string): ReadonlyMap<string, Item> {
    const known = this.exportsByFile.get(file)
    if (known !== undefined) return known
    const found = new Map<string, Item>()
    this.exportsByFile.set(file, found)
    for (const [, from = ''] of this.declarations(file).matchAll(/^export \* from '(\.[^']*)'/gm)) {
      for (const [as, item] of this.exportsOf(beside(file, from))) found.set(as, item)
    }
    for (const item of this.clauses(file, 'export')) found.set(item.as, { ...item, ...this.homeOf(item) })
    for (const part of this.declarations(file).split(STARTS)) {
      const name = part.startsWith('export ') ? DECLARED.exec(part)?.[2] : undefined
      if (name !== undefined) found.set(name, { file, name, as: name, typeOnly: false })
    }
    return found
  }

  private homeOf(item: Home): Home {
    const { file, name } = this.exportsOf(item.file).get(item.name) ?? item
    return { file, name }
  }

  /** `import { A as B } from './file.ts'`, and the same of exports. */
  private clauses(file: string, word: 'import' | 'export'): Item[] {
    const form = new RegExp(`^${word}( type)? \\{([^}]*)\\} from '(\\.[^']*)'`, 'gm')
    return [...this.declarations(file).matchAll(form)].flatMap(([, type, names = '', from = '']) =>
      names
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '')
        .map((each) => {
          const [name = '', as = name] = each.replace(/^type /, '').split(' as ')
          return { file: beside(file, from), name, as, typeOnly: type !== undefined || each.startsWith('type ') }
        }),
    )
  }
}

const keyOf = ({ file, name }: Home): string => `${file}:${name}`
const beside = (file: string, from: string): string => posix.join(posix.dirname(file), from)
const isTypePart = (part: string): boolean => TYPES.includes(DECLARED.exec(part)?.[1] ?? '')

function signatureOf(part: string, constructible: boolean): string {
  const open = part.replace(/^ *(?:private|protected) .*$/gm, '')
  const members = constructible ? open : open.replace(/^ +constructor\([\s\S]*?\);$/gm, '')
  return members.replace(/import\(.*?\)\.\w+/g, '').replace(TEXTS, "''")
}

/** Names of types: they begin with a capital letter, and are not the name of a member. */
function namesIn(signature: string): string[] {
  return [...signature.matchAll(/(?<![.\w$])([A-Z]\w*)\b(?!\??:)/g)].map(([, name = '']) => name)
}

/** `import("./file.ts").Name`, which the compiler writes where a type was inferred. */
function inlineImports(file: string, part: string): Home[] {
  return [...part.matchAll(/import\(["'](\.[^"']*)["']\)\.(\w+)/g)].map(([, from = '', name = '']) => ({
    file: beside(file, from),
    name,
  }))
}
