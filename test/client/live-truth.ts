import { expect } from 'vitest'
import type { Value } from '../../src/codec/value/value.ts'
import type { Change } from '../../src/client/index.ts'

/** What a query answers after each entry, by index, rising. */
export type Truth = Map<number, Value>

/**
 * The changes are answers of the log at their indexes, rising, each another one than the one before; and between a `value` and
 * the change before it there was no other answer.
 */
export function expectSubsequence(changes: readonly Change[], truth: Truth): void {
  let before: Change | null = null
  for (const change of changes) {
    expect({ index: change.index, value: change.value }).toEqual({
      index: change.index,
      value: truth.get(change.index),
    })
    if (before !== null) {
      const { index, value } = before
      expect(change.index).toBeGreaterThan(index)
      expect(change.value).not.toEqual(value)
      if (change.kind === 'value')
        for (let at = index + 1; at < change.index; at += 1) expect([at, truth.get(at)]).toEqual([at, value])
    } else expect(change.kind).toBe('value')
    before = change
  }
}
