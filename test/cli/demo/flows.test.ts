import { describe, expect, test } from 'vitest'
import type { Flow, Heard, Side } from '../../../src/cli/demo/flow.ts'
import { bookingFlow } from '../../../src/cli/demo/flows/booking-flow.ts'
import { conciergeFlow } from '../../../src/cli/demo/flows/concierge-flow.ts'
import { dialogueFlow } from '../../../src/cli/demo/flows/dialogue-flow.ts'
import { exchangeFlow } from '../../../src/cli/demo/flows/exchange-flow.ts'
import { play } from '../../../src/cli/demo/player.ts'
import { concierge, gates, payments, reconciler, session } from '../../../src/machines/index.ts'
import { playOnHarness } from './harness-sides.ts'

const steps = (seen: readonly { readonly kind: string; readonly step: string }[]): string[] =>
  seen.flatMap(({ kind, step }) => (kind === 'scene' ? [step] : []))

describe('the canonical flows hold on the machines alone', () => {
  test('domain.md §1.9 §2.9 the dialogue, from the invitation to the agreement', async () => {
    const seen = await playOnHarness(dialogueFlow({ exchange: true }), [session, gates, reconciler])
    const stages = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((step) => `9.${step}`)
    expect(steps(seen)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', ...stages, '10'])
  })

  test('domain.md §2.9 the dialogue ends in stage 2 where nobody brings guesses to the other one', async () => {
    const seen = await playOnHarness(dialogueFlow({ exchange: false }), [session, gates])
    expect(steps(seen).slice(-2)).toEqual(['9.6', '10'])
  })

  test('domain.md §5.8 the conversation, from the first message over an event to the next day’s', async () => {
    const seen = await playOnHarness(conciergeFlow, [concierge])
    expect(steps(seen)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
  })

  test('domain.md §4.10 the exchange, with a worker that counts words', async () => {
    const seen = await playOnHarness(exchangeFlow, [session, gates, reconciler])
    expect(steps(seen)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map(String))
    // Nobody but the worker is ever given the words of the other one, nor what was found about them.
    const others = seen.filter((line) => 'member' in line && line.member !== 'analyst')
    expect(JSON.stringify(others)).not.toContain('rationale')
  })

  test('domain.md §3.10 the booking, and with it in one harness a machine of another version', async () => {
    const seen = await playOnHarness(bookingFlow, [session, payments])
    expect(steps(seen)).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'])
  })
})

/** One step: ann says hello to a machine that answers `ok 1`, and is told `hi`. */
function flowOf(step: Flow['play']): Flow {
  return { title: '', cast: { ann: { principal: 'user:ann', roles: [], is: '' } }, last: 'greeter.all', play: step }
}

function sideOf(heard: readonly Heard[]): Side {
  const waiting = [...heard]
  return {
    command: async (_machine, command) =>
      command === 'hello'
        ? { kind: 'ok', value: { count: 1, of: ['a'] } }
        : { kind: 'refused', code: 'NO', details: {} },
    query: async () => ({ kind: 'failed', code: 'DEADLINE_EXCEEDED' }),
    next: async () => waiting.shift() ?? null,
    rest: () => waiting,
  }
}

const HI: Heard = { kind: 'notification', topic: 'hi', body: { count: 1 } }
const TASK: Heard = { kind: 'task', taskId: 't', task: 'greet', attempt: 1, payload: null }

describe('a flow stops at the first difference, and says what it is', () => {
  const told = { ann: [['hi', { count: 1 }]] } as const
  test.each<[what: string, heard: readonly Heard[], step: Flow['play'], difference: string | null]>([
    ['all is as promised', [HI], (s) => s.act('ann', 'greeter.hello', {}, { gives: { count: 1 }, told }).then(), null],
    [
      'another value',
      [],
      (s) => s.act('ann', 'greeter.hello', {}, { gives: { count: 2 } }).then(),
      'ann greeter.hello: count is 1 instead of 2',
    ],
    [
      'a list of another length',
      [],
      (s) => s.act('ann', 'greeter.hello', {}, { gives: { of: [] } }).then(),
      'ann greeter.hello: of is ["a"] instead of []',
    ],
    [
      'an item of a list',
      [],
      (s) => s.act('ann', 'greeter.hello', {}, { gives: { of: ['b'] } }).then(),
      'ann greeter.hello: of[0] is "a" instead of "b"',
    ],
    [
      'success instead of a refusal',
      [],
      (s) => s.act('ann', 'greeter.hello', {}, { refused: 'NO' }).then(),
      'ann greeter.hello: ok instead of NO',
    ],
    [
      'a refusal instead of success',
      [],
      (s) => s.act('ann', 'greeter.shout', {}, {}).then(),
      'ann greeter.shout: NO instead of ok',
    ],
    [
      'a query that nobody answers',
      [],
      (s) => s.ask('ann', 'greeter.count', {}, {}).then(),
      'ann greeter.count: failed with DEADLINE_EXCEEDED instead of ok',
    ],
    [
      'nothing is told',
      [],
      (s) => s.act('ann', 'greeter.hello', {}, { told }).then(),
      'ann was told nothing, and was promised hi',
    ],
    [
      'a task instead of a notification',
      [TASK],
      (s) => s.act('ann', 'greeter.hello', {}, { told }).then(),
      'ann was given the task greet, and was promised hi',
    ],
    [
      'a body that differs',
      [HI],
      (s) => s.act('ann', 'greeter.hello', {}, { told: { ann: [['hi', { count: 2 }]] } }).then(),
      'ann is told hi: count is 1 instead of 2',
    ],
    [
      'another task',
      [TASK],
      (s) => s.work('ann', 'sing', null),
      'ann was given the task greet, and was promised the task sing',
    ],
    [
      'something is told twice',
      [HI, HI],
      (s) => s.act('ann', 'greeter.hello', {}, { told }).then(),
      'ann was told hi, and was promised nothing more',
    ],
  ])('%s', async (_what, heard, step, difference) => {
    const flow = flowOf(async (stage) => {
      stage.scene('1', 'Ann says hello.')
      await step(stage)
    })
    const sides = new Map([['ann', sideOf(heard)]])
    const played = play({ flow, sides, now: 0, suffix: '', see: () => undefined })
    if (difference === null) await played
    else await expect(played).rejects.toThrow(`step 1: ${difference}`)
  })
})
