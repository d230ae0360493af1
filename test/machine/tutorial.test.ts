import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

/** Blocks of TypeScript in the tutorial (machines.md §7), without the fences. */
const blocks = [...read('docs/tutorial.md').matchAll(/```ts\n(.*?)\n```/gs)].map(([, block]) => block ?? '')

test.each([
  [0, 'src/machines/counter.ts'],
  [1, 'src/machines/counter-bare.ts'],
  [2, 'src/machines/counter-bare.ts'],
])('block %i of the tutorial stands word for word in %s, which the tests run', (position, path) => {
  expect(read(path)).toContain(blocks[position])
})
