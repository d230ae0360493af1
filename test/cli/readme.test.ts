import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { compileOnce } from '../cluster/processes.ts'
import { ROOT, read } from '../tidy/tree.ts'

beforeAll(compileOnce)

const readme = read('README.md')

/** Code blocks of a language, without their fences. */
function blocks(language: string, page = readme): string[] {
  return [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map((match) => match[1] ?? '')
}

test('the example in the README is the one in examples, and prints what the README says', () => {
  expect(blocks('js')).toEqual([read('examples/counter.mjs')])
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'examples/counter.mjs')], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(blocks('text')).toContain(stdout)
})

test('the example of taking a session up stands on the page about connecting, and prints what that says', () => {
  const page = read('docs/concepts/connect.md')
  expect(blocks('js', page)).toEqual([read('examples/resume.mjs')])
  const { stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'examples/resume.mjs')], { encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(blocks('text', page)).toEqual([stdout])
})
