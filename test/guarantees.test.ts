import { describe, expect, test } from 'vitest'
import { wrongWith } from './tidy/proofs.ts'
import { read } from './tidy/tree.ts'

const ROW = /^\| \*\*(\d+\.\d+)\*\* \| (.*) \| (.*) \|$/gm

const page = read('docs/guarantees.md')
const sentences = [...page.matchAll(ROW)].map(([, number, sentence = '', proofs = '']) => ({
  number,
  sentence,
  proofs: proofs.split('<br>'),
}))

describe('what is promised, and what is not', () => {
  test('every row of the page is read', () => {
    expect(sentences.length).toBe(page.split('\n').filter((line) => line.startsWith('| **')).length)
    expect(sentences.length).toBeGreaterThan(20)
  })

  test('each sentence has tests that exist by that name', () => {
    expect(sentences.flatMap(({ proofs }) => proofs.flatMap((proof) => wrongWith(proof) ?? []))).toEqual([])
  })
})
