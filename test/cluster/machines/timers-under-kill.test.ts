import { beforeAll, expect, test } from 'vitest'
import { timersUnderKill } from '../../../bench/xstate/timers-under-kill.ts'
import { allInTime } from '../../../bench/xstate/xstate.ts'
import { compileOnce, temporaryDirectory } from '../processes.ts'

beforeAll(compileOnce)

test('2,000 timers of a chart that fall due at one moment fire exactly once, within 10 s of the log, while the leader is killed', async () => {
  const directory = await temporaryDirectory()
  const ended = new AbortController()
  const result = await timersUnderKill({ instances: 2_000, sessions: 50, directory, ended: ended.signal })
  expect(result).toMatchObject({ fired: 2_000, lost: 0, doubled: 0, hashesEqual: true })
  expect(allInTime(result)).toBe(true)
})
