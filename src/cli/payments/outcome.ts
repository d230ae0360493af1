/** What commands and queries carry: JSON without anything that a machine would refuse. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [name: string]: Plain }

/** How a command or query ended (sessions.md §7). */
export type Outcome =
  | { readonly kind: 'ok'; readonly value: unknown }
  | { readonly kind: 'rejected'; readonly code: string }
  | { readonly kind: 'notExecuted'; readonly code: string }
  | { readonly kind: 'unknown'; readonly code: string }

/** A field of a plain object, undefined when there is none. */
export function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
  return (value as { readonly [name: string]: unknown })[name]
}

/** A field that is a text, else null. */
export function textField(value: unknown, name: string): string | null {
  const found = field(value, name)
  return typeof found === 'string' ? found : null
}
