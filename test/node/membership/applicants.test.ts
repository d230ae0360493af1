import { expect, test } from 'vitest'
import { groupId, type NodeId, nodeId } from '../../../src/base/brand.ts'
import { Applicants } from '../../../src/node/membership/applicants.ts'
import type { PeerBody, PeerFrame } from '../../../src/node/ports/peer-transport.ts'

function frame(sender: string, senderInstance: string, body: PeerBody): PeerFrame {
  const envelope = { clusterId: 'c', group: groupId(0), recipient: nodeId('n1'), recipientInstance: '' }
  return { ...envelope, sender: nodeId(sender), senderInstance, body }
}
const hello = (hasConfiguration = false): PeerBody => ({ kind: 'hello', hasConfiguration, reply: true })
const at = (address: string): PeerBody => ({ kind: 'reachedAt', address })
const ids = (applicants: Applicants, now: number): readonly NodeId[] => applicants.current(now).map(({ id }) => id)

test('who greets without a Configuration waits, at the address that it says, until it is silent', () => {
  const applicants = new Applicants()
  applicants.hear(frame('n4', 'a', at('h:4')), 0)
  applicants.hear(frame('n4', 'a', hello()), 10)
  expect(applicants.current(5000)).toEqual([{ id: 'n4', instance: 'a', address: 'h:4' }])
  expect(applicants.current(5011)).toEqual([])
})

test('another disk under the same id supplants the first, and its address is not the other’s', () => {
  const applicants = new Applicants()
  applicants.hear(frame('n4', 'a', at('h:4')), 0)
  applicants.hear(frame('n4', 'b', hello()), 1)
  expect(applicants.current(1)).toEqual([{ id: 'n4', instance: 'b', address: '' }])
})

test('who has a Configuration does not wait, nobody is dialled at port 0, and no more than 16 wait at once', () => {
  const applicants = new Applicants()
  applicants.hear(frame('n4', 'a', hello(true)), 0)
  expect(ids(applicants, 0)).toEqual([])
  applicants.hear(frame('n4', 'a', at('h:0')), 0)
  expect(applicants.current(0)).toEqual([{ id: 'n4', instance: 'a', address: '' }])
  for (let each = 10; each < 40; each += 1) applicants.hear(frame(`n${each}`, 'x', hello()), 0)
  expect(ids(applicants, 0)).toHaveLength(16)
})
