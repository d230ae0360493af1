import { expect, test } from 'vitest'
import { filesBelow, read, sourcesBelow } from '../tidy/tree.ts'
import { blocksOf, quotes } from './blocks.ts'

/** What the compiler reads, and tests run. */
const compiled = ['templates', 'examples', 'src/machines', 'test/docs'].flatMap((folder) =>
  [...sourcesBelow(folder)].map(([path, source]) => ({ path: `${folder}/${path}`, source })),
)
/** The page on testing is a program of its own, which test/package runs. */
const concepts = filesBelow('docs/concepts').filter((page) => page !== 'testing.md')
const pages = ['tutorial.md', 'xstate.md', ...concepts.map((page) => `concepts/${page}`)]

/** The table of states is a sketch: the machine payments has it in full. */
const SKETCHES = /^const payment = transitions\(/

test.each(pages)('every block of TypeScript in docs/%s stands in a file that is compiled', (page) => {
  const blocks = blocksOf(read(`docs/${page}`)).filter(
    ({ language, text }) => language === 'ts' && !SKETCHES.test(text),
  )
  expect(blocks.length).toBeGreaterThan(0)
  const strays = blocks.filter(({ text }) => !compiled.some(({ source }) => quotes(source, text)))
  expect(strays.map(({ text }) => text)).toEqual([])
})

test('a quotation may be indented otherwise, and may not differ', () => {
  const source = 'a(\n  {\n    b: 1,\n\n    c: 2,\n  },\n)'
  expect(quotes(source, 'b: 1,\n\nc: 2,\n')).toBe(true)
  expect(quotes(source, '{\n  b: 1,\n\n  c: 2,\n},')).toBe(true)
  expect(quotes(source, 'b: 1,\nc: 2,')).toBe(false)
  expect(quotes(source, 'b: 1,\n\nc: 3,')).toBe(false)
})
