/** Several measurements of one thing. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Zeros when nothing was measured. */
export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other)
  return { median: sorted[Math.floor(sorted.length / 2)] ?? 0, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 }
}

/** Each to two decimals. */
export function rounded({ median, min, max }: Spread): Spread {
  return { median: two(median), min: two(min), max: two(max) }
}

/** A number to two decimals. */
export const two = (value: number): number => Math.round(value * 100) / 100
