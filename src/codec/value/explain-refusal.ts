import { ValueError } from './value-error.ts'
import type { ValueBounds } from './bounds.ts'
import { checkNumber, dataProperty, isBytes, notPlainMessage, plainArrayNames, plainKeys, refuse } from './plain.ts'

/**
 * Finds where a refused value breaks the rules. It runs only after `encodeValue` or `walk` refused, so that their fast
 * way need not carry a path: it looks in the same order, and therefore finds the same refusal. A refusal that only
 * concerns the whole (its size) is returned as it came, with the path of the root.
 */
export function explainRefusal(root: unknown, refusal: ValueError, within: ValueBounds): ValueError {
  const search: Search = { nodes: 0, ancestors: [], within }
  try {
    visit(root, '', search)
  } catch (error) {
    if (error instanceof ValueError) return error
    throw error
  }
  return withPath(refusal, '')
}

interface Search {
  nodes: number
  readonly ancestors: unknown[]
  readonly within: ValueBounds
}

function visit(value: unknown, path: string, search: Search): void {
  search.nodes += 1
  if (search.nodes > search.within.nodes)
    throw withPath(new ValueError('TOO_LARGE', '', 'a value has too many nodes'), '')
  if (typeof value === 'object' && value !== null && !isBytes(value)) return visitContainer(value, path, search)
  at(path, () => checkScalar(value))
}

function visitContainer(value: object, path: string, search: Search): void {
  if (search.ancestors.includes(value)) throw withPath(new ValueError('CYCLE', '', 'a value contains itself'), path)
  // A cycle is met before the depth allowed only if it is short; a longer chain is simply too deep.
  if (search.ancestors.length >= search.within.depth) {
    throw withPath(new ValueError('TOO_DEEP', '', `a value is nested more than ${search.within.depth} deep`), path)
  }
  search.ancestors.push(value)
  if (Array.isArray(value)) {
    at(path, () => plainArrayNames(value))
    for (let index = 0; index < value.length; index += 1) {
      const inner = `${path}[${index}]`
      visit(
        at(inner, () => dataProperty(value, `${index}`)),
        inner,
        search,
      )
    }
  } else {
    for (const key of at(path, () => plainKeys(value))) {
      const inner = `${path}.${key}`
      at(inner, () => checkText(key))
      visit(
        at(inner, () => dataProperty(value, key)),
        inner,
        search,
      )
    }
  }
  search.ancestors.pop()
}

function checkScalar(value: unknown): void {
  if (value === null || typeof value === 'boolean') return
  if (value === undefined) refuse('UNDEFINED', 'undefined is not a value; leave the key out or use null')
  if (typeof value === 'number') return checkNumber(value)
  if (typeof value === 'string') return checkText(value)
  if (typeof value === 'object' && isBytes(value)) return
  refuse('NOT_PLAIN', notPlainMessage(value))
}

function checkText(text: string): void {
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if ((unit & 0xf800) !== 0xd800) continue
    if (unit >= 0xdc00 || (text.charCodeAt(index + 1) & 0xfc00) !== 0xdc00)
      refuse('BAD_STRING', 'a string has a lone surrogate')
    index += 1
  }
}

function at<Result>(path: string, run: () => Result): Result {
  try {
    return run()
  } catch (error) {
    throw error instanceof ValueError ? withPath(error, path) : error
  }
}

function withPath(error: ValueError, path: string): ValueError {
  return new ValueError(error.reason, path, `${error.message} (at ${path === '' ? 'the value itself' : path})`)
}
