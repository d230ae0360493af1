import { IMPORTED, type Rule } from './forbidden.ts'

/** Throws for a function that may not be called now. */
export type Judge = (api: string, rule: Rule) => void

type Functions = { [member: string]: unknown }

/** Asked by every wrapper; null: no machine runs, and everybody calls what he likes. */
let judge: Judge | null = null
let wrapped = false

/** Has calls of imported functions judged from now on; returns who judged before, to be put back. */
export function judgeImported(by: Judge | null): Judge | null {
  const before = judge
  judge = by
  return before
}

/**
 * Wraps the functions of Node's modules that a machine may not call. A module that imported one by its name, before or after,
 * has the wrapper: such names are bound to what the module of Node exports, and `syncBuiltinESMExports` tells them of a change.
 * What was copied into a variable stays what it was.
 *
 * Once for the life of the process, not around each call as globals are replaced: telling takes 45 µs. A wrapper passes calls
 * on, with everything that hangs on the function, unless a machine runs.
 */
export function guardImported(): void {
  if (wrapped) return
  wrapped = true
  for (const [name, members, rule] of IMPORTED) {
    const found = process.getBuiltinModule(`node:${name}`) as Functions | undefined
    if (found !== undefined) wrapAll(found, { name, members, rule })
  }
  process.getBuiltinModule('node:module').syncBuiltinESMExports()
}

function wrapAll(found: Functions, { name, members, rule }: { name: string; members: readonly string[]; rule: Rule }) {
  for (const member of members.length > 0 ? members : Object.keys(found)) {
    const descriptor = Object.getOwnPropertyDescriptor(found, member)
    if (typeof descriptor?.value !== 'function' || descriptor.writable !== true) continue
    found[member] = wrapper(descriptor.value, `${name}.${member}`, rule)
  }
}

function wrapper(original: (...given: unknown[]) => unknown, api: string, rule: Rule): unknown {
  const made: object = new Proxy(original, {
    apply: (target, self, given) => {
      judge?.(`${api}()`, rule)
      return Reflect.apply(target, self, given) as unknown
    },
    construct: (target, given, newTarget) => {
      judge?.(`new ${api}()`, rule)
      return Reflect.construct(target, given, newTarget === made ? target : newTarget) as object
    },
  })
  return made
}
