import { describe, expect, test } from 'vitest'
import { checkMachine } from '../../../src/testing/index.ts'
import { sample } from '../../effort.ts'
import { composedLists } from './composed-lists.ts'
import { COMPOSED_WAYS, WHOLE_WAY } from './composed-steps.ts'
import { played, playedApart } from './projection.ts'

/** Every so many ways, from the whole one on; all of them in the long suite. */
const STRIDE = sample(1) > 1 ? 1 : 40

describe('one deployment of all machines', () => {
  test('what each machine promises holds beside all others, and what they promise together', async () => {
    const { machine, options } = composedLists()
    const ways = COMPOSED_WAYS.filter((_, position) => position % STRIDE === 0)
    for (const replay of ways) await checkMachine(machine, { ...options, replay })
    expect(ways.length).toBeGreaterThan(2)
  }, 300_000)

  test('payments and conversations are what they would be without dialogues', () => {
    for (const way of COMPOSED_WAYS.filter((_, position) => position % 8 === 0 || STRIDE === 1)) {
      const together = played(way)
      expect(playedApart(way, together).rows).toBe(together.rows)
    }
  }, 300_000)

  test('a person is notified in one row, whichever machine has something to say', () => {
    const { told } = played(WHOLE_WAY)
    const topics = new Set<string>()
    for (const [person, notes] of told) {
      expect(
        notes.map(([seq]) => seq),
        person,
      ).toEqual(notes.map((_, position) => position + 1))
      for (const [, topic] of notes) topics.add(topic.slice(0, topic.indexOf('.')))
    }
    expect([...topics]).toEqual(expect.arrayContaining(['session', 'partner', 'empathy', 'payment', 'concierge']))
  })
})
