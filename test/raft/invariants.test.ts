import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const source = (file: string): string => readFileSync(join(import.meta.dirname, '../../src/raft', file), 'utf8')

/** The sentences that the assertions of check.ts crash with, from one function to the one that comes after the group. */
function asserted(from: string, to: string): string[] {
  const text = source('check.ts')
  const part = text.slice(text.indexOf(`function ${from}(`), text.indexOf(`function ${to}(`))
  return [
    ...part.matchAll(/\bassert\([^']*?'(?:(?:preCandidate|candidate|leader|probe|snapshot)'[^']*?')?([^']*)'/g),
  ].map((match) => match[1] ?? '')
}

/** The bullets of the doc comment that stands before a declaration. */
function listed(file: string, declaration: string): string[] {
  const before = source(file).split(declaration)[0] ?? ''
  const comment = before.slice(before.lastIndexOf('/**'))
  const lines = comment.replace(/\n \* {3}/g, ' ').split('\n')
  return lines.flatMap((line) => (line.startsWith(' * - ') ? [line.slice(5).replaceAll('`', '')] : []))
}

/** raft.md §6: a reader of the types and a reader of check.ts find the same sentences. */
test.each([
  ['RaftState', 'state.ts', 'export interface RaftState', 'checkTrail', 'checkProgress', 35],
  ['Progress', 'types.ts', 'export interface Progress', 'checkProgress', 'isWithin', 8],
  ['step', 'step.ts', 'export function step', 'checkTransition', 'terms', 10],
] as const)(
  'the invariants that %s lists are those that check.ts asserts',
  (_name, file, declaration, from, to, count) => {
    const sentences = asserted(from, to)
    expect(sentences).toHaveLength(count)
    expect(listed(file, declaration)).toEqual(sentences)
  },
)
