import type { PaymentsContext } from './schema.ts'

/** The next id of a kind, `<prefix>-<n>`, from a counter of the replicated state: never random, never given twice. */
export function nextId(
  ctx: PaymentsContext,
  counter: 'booking' | 'attempt' | 'refund',
  prefix: string,
): { readonly id: string; readonly number: number } {
  const number = (ctx.state.counters.get(counter) ?? 0) + 1
  ctx.state.counters.set(counter, number)
  return { id: `${prefix}-${number}`, number }
}
