import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { placed } from '../../../src/cli/diagrams/layout.ts'
import { svg } from '../../../src/cli/diagrams/svg.ts'
import { stateGraph, transitions } from '../../../src/machine/index.ts'
import { compileOnce } from '../../cluster/processes.ts'
import { ROOT } from '../../tidy/tree.ts'

const page = transitions({
  draft: { edit: 'draft', publish: 'published', drop: 'dropped' },
  published: { retract: 'draft', amend: 'published', 'drop & forget': 'dropped', archive: 'dropped' },
  dropped: {},
})

/** What is left of a picture without its style sheet and title. */
const drawn = (picture: string): string => picture.replace(/<title>.*<\/title>\n<style>[\s\S]*<\/style>/, '')

beforeAll(compileOnce, 120_000)

test('a picture has every state, every step with its label, a mark for the beginning and a double border at the end', () => {
  const picture = drawn(svg(page))
  const texts = [...picture.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text)
  const labels = page.edges().map(({ label }) => label?.replace('&', '&amp;'))
  expect(texts).toEqual([...page.states, ...labels])
  expect(picture.match(/<path class="step"/g)).toHaveLength(page.edges().length + 1)
  expect(picture.match(/<circle/g)).toHaveLength(1)
  expect(picture.match(/class="inner"/g)).toHaveLength(page.terminal.length)
})

test('a picture loads nothing, has colours for light and for dark, and is scoped to itself', () => {
  const picture = svg(page)
  expect(picture.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/href|https?:|@import|<script|url\((?!#tip\))/)
  const [, sheet = ''] = picture.match(/<style>\n([\s\S]*)<\/style>/) ?? []
  const [light = '', dark = ''] = sheet.split('@media (prefers-color-scheme: dark) {')
  for (const name of ['.paper', '.state', '.mark', '.step', '.label', ' text'])
    for (const colours of [light, dark]) expect(colours).toContain(`.machine${name.startsWith(' ') ? '' : ' '}${name}`)
  expect(sheet.split('\n').filter((rule) => !/^( {2})?\.machine |^@media|^}?$/.test(rule))).toEqual([])
})

test('equal tables give equal bytes, in one process and in another', () => {
  const first = svg(page)
  svg(stateGraph({ other: ['states'], states: [] }))
  expect(svg(page)).toBe(first)
  const program = `
    import { svg } from ${JSON.stringify(join(ROOT, 'dist/src/cli/diagrams/svg.js'))}
    import { transitions } from ${JSON.stringify(join(ROOT, 'dist/src/machine/index.js'))}
    process.stdout.write(svg(transitions(${JSON.stringify(page.table)})))`
  const words = ['--input-type=module', '--eval', program]
  expect(execFileSync(process.execPath, words, { encoding: 'utf8' })).toBe(first)
})

test('boxes do not overlap, and nothing lies outside of the picture', () => {
  const { width, height, states, edges } = placed(page)
  for (const [position, one] of states.entries()) {
    for (const other of states.slice(position + 1)) {
      const apart = {
        x: Math.abs(one.x - other.x) >= (one.width + other.width) / 2,
        y: Math.abs(one.y - other.y) >= (one.height + other.height) / 2,
      }
      expect(apart.x || apart.y).toBe(true)
    }
  }
  for (const { x, y } of [...states, ...edges.map(({ at }) => at)]) {
    expect(x >= 0 && x <= width && y >= 0 && y <= height).toBe(true)
  }
})

test('what XML cannot say is replaced, and what it would read as its own is escaped', () => {
  const picture = svg(stateGraph({ '<b> & "c"': ['a\u0001\ud800'], 'a\u0001\ud800': [] }))
  expect(drawn(picture)).toContain('>&lt;b&gt; &amp; "c"<')
  expect(drawn(picture)).toContain('>a\ufffd\ufffd<')
})
