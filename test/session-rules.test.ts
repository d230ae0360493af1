import { describe, expect, test } from 'vitest'
import { wrongWith } from './tidy/proofs.ts'
import { read } from './tidy/tree.ts'

/** The rules of docs/session-rules.md: each has a number, a sentence and tests that prove it, by file and name. */
const SECTIONS = [3, 4, 5, 6, 7, 8, 9, 10]
const ROW = /^\| \*\*(\d+)\.(\d+)\*\* \| (.*) \| (.*) \|$/gm
const page = read('docs/session-rules.md')

interface Rule {
  readonly section: number
  readonly number: number
  readonly sentence: string
  readonly proofs: readonly string[]
}

function rulesIn(text: string): Rule[] {
  return [...text.matchAll(ROW)].map(([, section, number, sentence = '', proofs = '']) => ({
    section: Number(section),
    number: Number(number),
    sentence,
    proofs: proofs.split('<br>').filter((proof) => proof !== ''),
  }))
}

const rules = rulesIn(page)

describe('the rules of the session layer', () => {
  test('every row of the page is read, and its numbers rise in each section', () => {
    expect(page.split('\n').filter((line) => line.startsWith('| **')).length).toBe(rules.length)
    for (const section of SECTIONS) {
      const found = rules.filter((rule) => rule.section === section)
      expect(found.map(({ number }) => number)).toEqual(found.map((_, at) => at + 1))
      expect(found.length).toBeGreaterThan(0)
    }
    expect(rules.filter(({ section }) => !SECTIONS.includes(section))).toEqual([])
  })

  test('each is a sentence, and has a test', () => {
    expect(rules.filter(({ sentence }) => !/^.{15,}\.$/.test(sentence))).toEqual([])
    expect(rules.filter(({ proofs }) => proofs.length === 0)).toEqual([])
  })

  test('each proof is a test that exists by that name', () => {
    expect(rules.flatMap(({ proofs }) => proofs.flatMap((proof) => wrongWith(proof) ?? []))).toEqual([])
  })

  test('what is no proof is found', () => {
    const [rule] = rulesIn('| **3.1** | A sentence. | [a](../test/a.test.ts): b<br>[c](../test/d.test.ts): e |')
    expect(rule?.proofs.map(wrongWith)).toEqual(['there is no a', '[c](../test/d.test.ts): e names no file'])
    expect(wrongWith('[session-rules](../test/session-rules.test.ts): nothing')).toBe(
      'session-rules has no test “nothing”',
    )
    expect(wrongWith('[session-rules](../test/session-rules.test.ts): what is no proof is found')).toBe(null)
  })
})
