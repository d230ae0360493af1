import { z } from 'zod'
import { command, defineMachine, query, table } from '../machine/index.ts'

/** Most bytes of a register's value: 64 KiB. */
export const REGISTER_BYTES_MAX = 64 * 1024

const key = z.string().min(1).max(512)
const value = z
  .union([z.string(), z.instanceof(Uint8Array)])
  .refine((given) => byteLength(given) <= REGISTER_BYTES_MAX, {
    error: `a value has at most ${REGISTER_BYTES_MAX} bytes`,
  })
const maybe = value.nullable()

/**
 * Registers by key: the smallest useful machine, which the throughput bench and the linearizability checker drive. `cas` sets
 * `to` where the register holds `from` (null: nothing; setting null deletes) and answers whether it did.
 */
export const register = defineMachine(
  'register',
  { version: 1, state: { values: table(key, value) } },
  {
    commands: {
      write: command({ input: z.object({ key, value }), output: z.null() }, (ctx, input) => {
        ctx.state.values.set(input.key, input.value)
        return null
      }),
      read: command(
        { input: z.object({ key }), output: maybe },
        (ctx, input) => ctx.state.values.get(input.key) ?? null,
      ),
      cas: command({ input: z.object({ key, from: maybe, to: maybe }), output: z.boolean() }, (ctx, input) => {
        if (!sameValue(ctx.state.values.get(input.key) ?? null, input.from)) return false
        if (input.to === null) ctx.state.values.delete(input.key)
        else ctx.state.values.set(input.key, input.to)
        return true
      }),
    },
    queries: {
      read: query({ input: z.object({ key }), output: maybe }, (view, input) => view.values.get(input.key) ?? null),
    },
  },
)

type RegisterValue = string | Uint8Array | null

function sameValue(left: RegisterValue, right: RegisterValue): boolean {
  if (!(left instanceof Uint8Array)) return left === right
  if (!(right instanceof Uint8Array)) return false
  return left.length === right.length && left.every((byte, position) => byte === right[position])
}

/** Bytes of the value, in UTF-8 for a string. */
function byteLength(given: string | Uint8Array): number {
  if (typeof given !== 'string') return given.length
  let bytes = 0
  for (let position = 0; position < given.length && bytes <= REGISTER_BYTES_MAX; position += 1) {
    const unit = given.charCodeAt(position)
    // A surrogate is half of a character of 4 bytes.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
  }
  return bytes
}
