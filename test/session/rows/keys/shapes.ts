/** Numbers below a bound, the same ones for the same seed. */
export function numbers(seed: number): (bound: number) => number {
  let word = seed
  return (bound) => {
    word = (Math.imul(word, 1_103_515_245) + 12_345) & 0x7fffffff
    return (word >>> 8) % bound
  }
}

/** Digits of a number to a base, as code units: few of them, so that many keys begin alike and end where another goes on. */
function digits(value: number, base: number, first: number): string {
  let text = ''
  for (let rest = value; rest > 0; rest = Math.floor(rest / base)) text += String.fromCharCode(first + (rest % base))
  return text
}

/** What keys look like: all alike for long, some a start of others, with the least and the greatest unit in them. */
export const SHAPES: readonly ((drawn: number) => string)[] = [
  (drawn) => `m/.table/field/\u0002owner-000${String(drawn).padStart(6, '0')}\u0000`,
  (drawn) => digits(drawn, 2, 0),
  (drawn) => `${'a'.repeat(drawn % 30)}${digits(drawn, 3, 0xfd)}`,
  (drawn) => `${digits(drawn % 7, 8, 0)}m/.t/f/${digits(drawn, 10, 0x30)}\u0000${digits(drawn, 5, 0xfb)}`,
]
