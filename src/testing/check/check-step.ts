import type { Value } from '../../codec/value/value.ts'

/** One thing that happens to a machine that is checked. Sessions are named by their principal and opened when first used. */
export type CheckStep =
  /** A command, of the checked machine or the one that is named; a copy comes right after it, and must be answered alike. */
  | {
      readonly do: 'command'
      readonly by: string
      readonly machine?: string
      readonly command: string
      readonly input: Value
    }
  | { readonly do: 'query'; readonly by: string; readonly query: string; readonly input: Value }
  /** Time passes; durable timers that fall due fire. */
  | { readonly do: 'advance'; readonly ms: number }
  /** The client handles every server request that waits for it (`react`), and acknowledges them or does not. */
  | { readonly do: 'deliver'; readonly by: string; readonly acknowledge: boolean }
  /** Whatever was not acknowledged is sent again; what ran out of attempts is a dead letter. */
  | { readonly do: 'redeliver' }
  /** The session ends; the next step of its principal opens another one. */
  | { readonly do: 'end'; readonly by: string; readonly reason: 'expired' | 'closed' }
  /** The worker that holds the oldest task of the kind completes it, or fails it. */
  | { readonly do: 'complete'; readonly kind: string; readonly result: Value }
  | { readonly do: 'fail'; readonly kind: string }

/** A test that runs exactly these steps, to be pasted. */
export function pasted(machine: string, steps: readonly CheckStep[]): string {
  const lines = steps.map((step) => `      ${source(step)},\n`)
  return (
    `test('${machine}: what checkMachine found', async () => {\n` +
    `  await checkMachine(${identifier(machine)}, {\n    replay: [\n${lines.join('')}    ],\n  })\n})\n`
  )
}

/** A value as TypeScript source. */
function source(value: unknown): string {
  if (typeof value === 'string')
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
  if (value instanceof Uint8Array) return `new Uint8Array([${[...value].join(', ')}])`
  if (Array.isArray(value)) return `[${value.map(source).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const members = Object.entries(value).map(([name, member]) => `${memberName(name)}: ${source(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

const memberName = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : source(name))

/** `chat-room` is most likely held by a constant of that name in camel case. */
const identifier = (machine: string): string =>
  machine.replace(/-(.)/g, (_dash, letter: string) => letter.toUpperCase())
