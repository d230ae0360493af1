import { expect, test } from 'vitest'
import { hubOn, openOn, Script } from '../world.ts'

const CALL = { machine: 't', command: 'echo', input: Uint8Array.of(0) }

test('a deadline whose end closes the connection leaves no timer behind, and every command ends once', () => {
  const script = new Script()
  const hub = hubOn(script.environment)
  const { core } = openOn(hub)
  const ended: string[] = []
  core.enqueue(CALL, 100, (outcome) => {
    ended.push(outcome.kind)
    hub.close()
  })
  core.enqueue(CALL, 100, (outcome) => ended.push(outcome.kind))
  core.enqueue(CALL, 1e9, (outcome) => ended.push(outcome.kind))
  script.clock.advance(100)
  expect([ended, script.clock.pending]).toEqual([['notExecuted', 'notExecuted', 'notExecuted'], 0])
})

test('a deadline whose end asks for more watches the earliest of what waits then', () => {
  const script = new Script()
  const { core } = openOn(hubOn(script.environment))
  const ended: number[] = []
  const note = (): void => void ended.push(script.clock.monotonicMs())
  core.enqueue(CALL, 100, () => {
    note()
    core.enqueue(CALL, 150, note)
  })
  core.enqueue(CALL, 200, note)
  script.clock.advance(1000)
  expect(ended).toEqual([100, 150, 200])
})
