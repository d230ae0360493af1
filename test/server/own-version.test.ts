import { expect, test } from 'vitest'
import type { RaftNode } from '../../src/node/api.ts'
import { refuseNotYet } from '../../src/server/operator/own-version.ts'
import type { SessionGateway } from '../../src/gateway/session-gateway.ts'
import { answerChangeSchedule } from '../../src/server/operator/schedule-answers.ts'
import { OWN_MACHINE, RUN_END_SINCE, SCHEDULE_CHANGE_SINCE } from '../../src/session/own-versions.ts'

test('what the cluster has not switched to is refused, with the voters that are not known to have it', () => {
  const machine = { activated: true, own: { active: 1 } }
  const status = () => ({ id: 'n1', voters: ['n1', 'n2', 'n3'], peerBuilds: [{ id: 'n2', machines: [OWN_MACHINE] }] })
  const node = { machine, status } as unknown as RaftNode
  const refused: unknown[] = []
  const reply = { answer: () => undefined, refuse: (...refusal: readonly unknown[]) => void refused.push(refusal) }
  expect(refuseNotYet(node, 2, reply)).toBe(true)
  expect(refused).toEqual([['NOT_YET_SUPPORTED', { version: 2, active: 1, nodes: 'n3' }]])
  machine.own.active = 2
  expect(refuseNotYet(node, 2, reply)).toBe(false)
  // A log that names no versions is not gated.
  Object.assign(machine, { activated: false, own: { active: 1 } })
  expect(refuseNotYet(node, 2, reply)).toBe(false)
})

test.each([
  ['pause', SCHEDULE_CHANGE_SINCE],
  ['end', RUN_END_SINCE],
] as const)('%s of a schedule is refused before the log is at version %i, and nothing is proposed', (change, since) => {
  const machine = { activated: true, own: { active: since - 1 }, schedules: { find: () => ({}) } }
  const submitted: string[] = []
  const node = {
    machine,
    status: () => ({ id: 'n1', voters: ['n1', 'n2'], peerBuilds: [] }),
    submit: (kind: string) => void submitted.push(kind),
  }
  const refused: unknown[] = []
  const reply = { answer: () => undefined, refuse: (code: string) => void refused.push(code) }
  const ask = () => {
    const request = { change, machine: 'm', name: 's', fromMs: 0, toMs: 0, basedOn: 0, run: 7 }
    answerChangeSchedule({ node } as unknown as SessionGateway, request, reply)
  }
  ask()
  expect([refused, submitted]).toEqual([['NOT_YET_SUPPORTED'], []])
  machine.own.active = since
  ask()
  expect([refused, submitted]).toEqual([['NOT_YET_SUPPORTED'], ['ScheduleNext']])
})
