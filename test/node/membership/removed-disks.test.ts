import { expect, test } from 'vitest'
import { nodeId } from '../../../src/base/brand.ts'
import type { PeerBody } from '../../../src/node/ports/peer-transport.ts'
import { appendEntries, configuration, follower, records } from '../peers/follower.ts'

const reachedAt = (address: string): PeerBody => ({ kind: 'reachedAt', address })

test('a disk that was removed does not wait to be a member again, whatever it still says', () => {
  const { node, send } = follower()
  const payload = configuration({ removed: [{ id: nodeId('n9'), instanceId: 'removed' }] })
  send(appendEntries(records([{ kind: 'Configuration', payload }]), [[1, 1, 1]]))
  const stranger = { recipientInstance: '' }
  send(reachedAt('n9:1'), { ...stranger, sender: nodeId('n9'), senderInstance: 'removed' })
  send(reachedAt('n8:1'), { ...stranger, sender: nodeId('n8'), senderInstance: 'fresh' })
  const waiting = (): readonly string[] =>
    node.driver.membership.list().members.flatMap(({ id, role }) => (role === 'waiting' ? [id] : []))
  expect(waiting()).toEqual(['n8'])
  // Its node may come back with another disk.
  send(reachedAt('n9:1'), { ...stranger, sender: nodeId('n9'), senderInstance: 'fresh' })
  expect(waiting()).toEqual(['n8', 'n9'])
})
