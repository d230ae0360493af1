import { expect, test } from 'vitest'
import type { Value } from '../../../src/codec/value/value.ts'
import { SessionStateMachine } from '../../../src/session/session-state-machine.ts'
import type { Applied } from '../../../src/session/state-machine.ts'
import { bareMachine } from '../bare-machine.ts'
import { codec, Log, RECORD_BYTES } from '../log.ts'

const HOURLY = { cron: '0 * * * *', zone: 'UTC' }
const advance = (to: number) => ({ machines: [{ machine: 'test', to, schema: '' }] })

/** A machine whose second version takes one schedule away, changes another and makes a third, with steps between. */
const machine = () =>
  bareMachine(
    {
      put: ({ schedules }) => {
        for (const name of ['goes', 'changes']) schedules.put('test', name, HOURLY)
        return null
      },
      look: ({ schedules }) => ['goes', 'changes', 'comes'].map((name) => schedules.find('test', name)?.cron ?? null),
    },
    {
      *migrate({ schedules }) {
        schedules.cancel('test', 'goes')
        yield
        schedules.put('test', 'changes', { ...HOURLY, cron: '30 * * * *' })
        yield
        schedules.put('test', 'comes', HOURLY)
        yield
      },
    },
  )

const found = ({ schedules }: SessionStateMachine): Value =>
  ['goes', 'changes', 'comes'].map((name) => schedules.find('test', name)?.cron ?? null)

const listed = ({ schedules }: SessionStateMachine): Value => schedules.listAfter(null, 9).map(({ cron }) => cron)

test('schedules that a migration changes in steps are seen as they were before, until all of it is seen', () => {
  const log = new Log(machine())
  log.append('AdvanceVersion', advance(1))
  const session = log.open('a')
  log.request(session, 1, 'put')
  log.append('AdvanceVersion', advance(2))
  const twin = new SessionStateMachine(machine(), codec)
  for (const entry of log.entries.slice(0, -1)) twin.apply(entry, RECORD_BYTES)
  const last = log.entries.at(-1)
  const begun = last === undefined ? null : twin.begin(last, RECORD_BYTES)
  if (begun === null || !('step' in begun)) throw new Error('a migration is begun in steps')
  const seen = new Set<string>()
  for (let applied: Applied | null = null; applied === null; ) {
    applied = begun.step()
    const isNew = twin.appliedIndex === last?.index
    const [goes, changes, comes] = isNew ? [null, '30 * * * *', '0 * * * *'] : ['0 * * * *', '0 * * * *', null]
    expect(found(twin)).toEqual([goes, changes, comes])
    expect(listed(twin)).toEqual([changes, comes ?? goes])
    seen.add(String(isNew))
  }
  expect([...seen]).toEqual(['false', 'true'])
  expect(twin.stateHash()).toBe(log.machine.stateHash())
  twin.checkInvariants()
})
