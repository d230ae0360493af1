import { expect, test } from 'vitest'
import { Random } from '../../src/base/random.ts'
import { Callbacks } from '../../src/client/session/callbacks.ts'
import { Violation } from '../../src/sim/checkers/violation.ts'
import { environmentOf } from '../../src/sim/world/client-environment.ts'
import { Scheduler } from '../../src/sim/world/scheduler.ts'
import type { SimulatedChannels } from '../../src/sim/world/simulated-channels.ts'

test('what a checker finds within a callback of the library ends the seed', () => {
  const scheduler = new Scheduler()
  const channels = { dial: () => () => undefined } as unknown as SimulatedChannels
  const { warn } = environmentOf({ name: 'c', scheduler, channels, random: new Random(1) })
  new Callbacks(warn).call('done', () => {
    throw new Violation('an invariant holds', {})
  })
  expect(() => scheduler.next()).toThrow('an invariant holds')
})

test('a timer for less than a microsecond lets time pass', () => {
  const scheduler = new Scheduler()
  const channels = { dial: () => () => undefined } as unknown as SimulatedChannels
  const { clock } = environmentOf({ name: 'c', scheduler, channels, random: new Random(1) })
  const due = 0.1 + 0.2 + 1e-9
  const wait = (): void => {
    if (clock.nowMs() < due) clock.setTimer(due - clock.nowMs(), wait)
  }
  wait()
  for (let events = 0; events < 10; events += 1) scheduler.next()
  expect(clock.nowMs()).toBeGreaterThanOrEqual(due)
})
