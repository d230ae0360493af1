import { expect, test } from 'vitest'
import { Progress } from '../../../src/cli/terminal/progress.ts'

/** Runs a bar of 100 steps, one step per 50 ms, and gives what it wrote. */
function written(isTTY: boolean): string[] {
  const texts: string[] = []
  let now = 0
  const target = { isTTY, write: (text: string) => texts.push(text) }
  const progress = new Progress('feeding', 100, target, () => now)
  for (let done = 1; done <= 100; done += 1) {
    now += 50
    progress.update(done)
  }
  progress.finish()
  return texts
}

test('on a terminal the bar redraws its line ten times a second and ends with a line end', () => {
  const texts = written(true)
  expect(texts).toHaveLength(50 + 2)
  expect(texts[0]).toBe('\r\u001b[Kfeeding [#.............................] 2/100 (2 %, 20/s)')
  expect(texts.at(-2)).toBe(`\r\u001b[Kfeeding [${'#'.repeat(30)}] 100/100 (100 %, 20/s)`)
  expect(texts.at(-1)).toBe('\n')
})

test('elsewhere it writes a plain line every two seconds and a last one', () => {
  expect(written(false)).toEqual([
    'feeding 40/100 (40 %, 20/s)\n',
    'feeding 80/100 (80 %, 20/s)\n',
    'feeding 100/100 (100 %, 20/s)\n',
  ])
})

test('a bar over nothing is full', () => {
  const texts: string[] = []
  new Progress('feeding', 0, { write: (text: string) => texts.push(text) }, () => 0).finish()
  expect(texts).toEqual(['feeding 0/0 (100 %, 0/s)\n'])
})
