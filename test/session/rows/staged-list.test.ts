import { expect, test } from 'vitest'
import type { PagedList } from '../../../src/base/paged-list.ts'
import { StagedList } from '../../../src/session/rows/staged-list.ts'

test('a staged list that was cleared is empty, holds nothing of before, and keeps no place of a large transaction', () => {
  const list = new StagedList<string>()
  const { items } = list as unknown as { items: PagedList<unknown> }
  for (const count of [3, 64, 1, 65, 2]) {
    for (let at = 0; at < count; at += 1) list.add(`${count}/${at}`)
    expect(Array.from({ length: list.size }, (_, at) => list.at(at))).toEqual(
      Array.from({ length: count }, (_, at) => `${count}/${at}`),
    )
    list.replace(count - 1, 'other')
    expect(list.at(count - 1)).toBe('other')
    list.clear()
    expect(list.size).toBe(0)
    expect([...items].every((item) => item === undefined)).toBe(true)
    expect(items.length).toBeLessThanOrEqual(64)
  }
})
