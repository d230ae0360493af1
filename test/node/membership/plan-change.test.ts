import { expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import type { ConfigurationPayload, Member } from '../../../src/codec/entry/payload.ts'
import { decodePayload, encodePayload } from '../../../src/codec/entry/payload-codec.ts'
import { configurationIn } from '../../../src/node/membership/known-configuration.ts'
import { nextPayload } from '../../../src/node/membership/next-payload.ts'
import { type MemberChange, planChange, type PlanPorts } from '../../../src/node/membership/plan-change.ts'

const member = (id: string, instanceId = `i-${id}`): Member => ({ id: nodeId(id), address: `${id}:1`, instanceId })

const THREE: ConfigurationPayload = {
  clusterId: 'c',
  incarnation: 1,
  voters: [member('n1'), member('n2'), member('n3')],
  learners: [member('n4')],
  outgoing: [],
  promoting: [],
  removed: [],
}

function plan(kind: MemberChange['kind'], id: string, ports: Partial<PlanPorts> = {}, learner = false) {
  const change = { kind, id: nodeId(id), learner, basedOn: null }
  return planChange(change, { present: THREE, applicant: () => null, isAlive: () => false, ...ports })
}

const waits: PlanPorts['applicant'] = (id) => ({ id, instance: 'new', address: '' })
const waitsAt: PlanPorts['applicant'] = (id) => ({ id, instance: 'new', address: 'h:9' })
const alone: ConfigurationPayload = { ...THREE, voters: [member('n1')] }
const many: ConfigurationPayload = { ...THREE, voters: Array.from({ length: 63 }, (_, at) => member(`v${at}`)) }

test.each([
  ['add', 'n3', 'MEMBER_EXISTS', {}],
  ['add', 'n4', 'MEMBER_EXISTS', {}],
  ['add', 'n5', 'NOT_WAITING', {}],
  ['add', 'n5', 'NOT_WAITING', { applicant: waits }],
  ['add', 'n5', 'TOO_MANY_MEMBERS', { applicant: waitsAt, present: many }],
  ['promote', 'n3', 'MEMBER_EXISTS', {}],
  ['promote', 'n5', 'MEMBER_UNKNOWN', {}],
  ['remove', 'n5', 'MEMBER_UNKNOWN', {}],
  ['remove', 'n1', 'LAST_VOTER', { present: alone }],
  ['replace', 'n4', 'MEMBER_UNKNOWN', { applicant: waits }],
  ['replace', 'n3', 'MEMBER_ALIVE', { applicant: waits, isAlive: () => true }],
  ['replace', 'n3', 'NOT_WAITING', {}],
  ['replace', 'n1', 'LAST_VOTER', { present: alone, applicant: waits }],
] as const)('%s %s is refused with %s', (kind, id, code, ports) => {
  expect(plan(kind, id, ports)).toBe(code)
})

test('a node that waits becomes a learner that is promoted, at the address that it says', () => {
  expect(plan('add', 'n5', { applicant: waitsAt })).toMatchObject({
    configuration: { voters: ['n1', 'n2', 'n3'], learners: ['n4', 'n5'], promoting: ['n5'] },
    newcomer: { id: 'n5', address: 'h:9', instanceId: 'new' },
  })
  expect(plan('add', 'n5', { applicant: waitsAt }, true)).toMatchObject({ configuration: { promoting: [] } })
})

test('a replaced disk is the voter until the joint configuration is left, and the new one a learner from then on', () => {
  const planned = plan('replace', 'n3', { applicant: waits })
  if (typeof planned === 'string') throw new Error(planned)
  expect(planned.newcomer).toEqual(member('n3', 'new'))
  const joint = { ...planned.configuration, outgoing: configurationIn(THREE, null).voters }
  const during = nextPayload(joint, THREE, planned.newcomer)
  expect(during.outgoing).toEqual(THREE.voters)
  expect(during.learners).toEqual([member('n3', 'new'), member('n4')])
  expect(during.removed).toEqual([])
  const after = nextPayload(planned.configuration, during, null)
  expect(after).toMatchObject({ voters: [member('n1'), member('n2')], outgoing: [], promoting: ['n3'] })
  expect(after.learners).toEqual([member('n3', 'new'), member('n4')])
  expect(after.removed).toEqual([{ id: 'n3', instanceId: 'i-n3' }])
  expect(decodePayload('Configuration', encodePayload('Configuration', after))).toEqual(after)
})

test('a disk that is removed is remembered as such, and the newest 64 of them are', () => {
  const gone = Array.from({ length: 64 }, (_, at) => ({ id: nodeId(`g${at}`), instanceId: `g${at}` }))
  const without = { voters: [nodeId('n1'), nodeId('n2')], learners: [nodeId('n4')], outgoing: [], promoting: [] }
  const after = nextPayload(without, { ...THREE, removed: gone }, null)
  expect(after.removed).toHaveLength(64)
  expect(after.removed.at(-1)).toEqual({ id: 'n3', instanceId: 'i-n3' })
  expect(after.removed[0]?.instanceId).toBe('g1')
})

test('the core of a new disk does not know itself in the voter that it replaces', () => {
  const self = { id: nodeId('n3'), instance: 'new' }
  expect(configurationIn(THREE, self).voters).toEqual(['n1', 'n2', "n3'"])
  expect(configurationIn({ ...THREE, learners: [member('n3', 'new')] }, self).learners).toEqual(['n3'])
})
