import { describe, expect, test } from 'vitest'
import type { Clock } from '../../../src/node/ports/clock.ts'
import { TURN_BUDGET_MS, TurnBudget } from '../../../src/node/apply/turn-budget.ts'

/** A loop: what is deferred in one turn runs in the next one. */
class Loop {
  private time = 0
  private deferred: (() => void)[] = []

  readonly clock: Clock = {
    monotonicMs: () => this.time,
    wallMs: () => this.time,
    setTimer: () => ({ cancel: () => undefined }),
    defer: (run) => void this.deferred.push(run),
  }

  work(ms: number): void {
    this.time += ms
  }

  turn(): void {
    const { deferred } = this
    this.deferred = []
    for (const run of deferred) run()
  }
}

/** Works so long each time, again and again. */
interface Stage {
  readonly name: string
  readonly workMs: number
  readonly times: number
}

/** What each turn of the loop did, until none has anything left. */
function turnsOf(stages: readonly Stage[]): { readonly did: readonly string[]; readonly ms: number }[] {
  const loop = new Loop()
  const turn = new TurnBudget(loop.clock)
  let left = 0
  let did: string[] = []
  for (const { name, workMs, times } of stages) {
    left += times
    const run = (time: number): void => {
      did.push(name)
      left -= 1
      loop.work(workMs)
      if (time < times) turn.later(() => run(time + 1))
    }
    turn.later(() => run(1))
  }
  const turns: { did: string[]; ms: number }[] = []
  while (left > 0) {
    const began = loop.clock.monotonicMs()
    loop.turn()
    if (did.length > 0) turns.push({ did, ms: loop.clock.monotonicMs() - began })
    did = []
  }
  return turns
}

describe('what can wait', () => {
  test('has one budget for each turn of the loop: two stages that use it up do not add up', () => {
    const apply = { name: 'apply', workMs: TURN_BUDGET_MS, times: 10 }
    const turns = turnsOf([apply, { ...apply, name: 'snapshot' }])
    expect(Math.max(...turns.map(({ ms }) => ms))).toBe(TURN_BUDGET_MS)
    expect(turns).toHaveLength(20)
  })

  test('takes turns when each has always something to do', () => {
    const apply = { name: 'apply', workMs: TURN_BUDGET_MS, times: 4 }
    const turns = turnsOf([apply, { ...apply, name: 'snapshot' }])
    expect(turns.flatMap(({ did }) => did).join(' ')).toBe(Array(4).fill('apply snapshot').join(' '))
  })

  test('shares a turn as long as there is time left in it', () => {
    const turns = turnsOf([
      { name: 'apply', workMs: 1, times: 3 },
      { name: 'snapshot', workMs: 2, times: 3 },
    ])
    expect(turns.map(({ did }) => did.join('+'))).toEqual(Array(3).fill('apply+snapshot'))
  })

  test('has none left when one has ended the turn, and what comes without asking gets its own', () => {
    const loop = new Loop()
    const turn = new TurnBudget(loop.clock)
    const ran: string[] = []
    turn.later(() => {
      ran.push('first')
      turn.end()
    })
    turn.later(() => ran.push('second'))
    loop.turn()
    expect(ran).toEqual(['first'])
    loop.turn()
    expect(ran).toEqual(['first', 'second'])
    loop.work(100)
    turn.begin()
    expect(turn.until - loop.clock.monotonicMs()).toBe(TURN_BUDGET_MS)
  })
})
