import { expect, test } from 'vitest'
import { fetchSession, fetchSessions } from '../../src/client/operator/sessions.ts'
import { transferLeadership } from '../../src/client/operator/leader.ts'
import { fetchTrial } from '../../src/client/operator/try-command.ts'
import { nodeId } from '../../src/base/brand.ts'
import { operator } from './operator.ts'

const TRIED = { machine: 't', command: 'echo', input: 7, principal: 'user:a', roles: [] }

test('a node that does not lead, or has halted, answers nothing and names the leader, which is asked instead', async () => {
  const [follower, leader] = [await operator(), await operator()]
  follower.node.leading = false
  follower.node.role = 'follower'
  follower.node.addressOf = () => leader.address
  expect(await fetchTrial([follower.address], TRIED)).toMatchObject({ value: 7 })
  expect(follower.node.user.calls).toEqual([])
  expect(leader.node.user.calls).toEqual(['echo'])
  follower.node.halted = { code: 'MACHINE_MISSING', message: 'gone', index: 3 }
  expect(await fetchTrial([follower.address], TRIED)).toMatchObject({ value: 7 })
  expect(follower.node.user.calls).toEqual([])
})

test('a command that is refused before it is logged is refused before it is tried', async () => {
  const { node, address } = await operator()
  const refusal = (more: object) => fetchTrial([address], { ...TRIED, ...more }).then(String, ({ code }) => code)
  expect(await refusal({ machine: 'nobody' })).toBe('UNKNOWN_MACHINE')
  expect(await refusal({ machine: 'task' })).toBe('UNKNOWN_MACHINE')
  expect(await refusal({ command: 'unknown' })).toBe('UNKNOWN_COMMAND')
  expect(await refusal({ input: 13 })).toBe('VALIDATION_ERROR')
  expect(await refusal({ principal: 'system' })).toBe('PRINCIPAL_INVALID')
  expect(await refusal({ input: 'x'.repeat(1024 * 1024) })).toBe('COMMAND_TOO_LARGE')
  expect(node.user.calls).toEqual([])
})

test('what is out of range is refused with its field', async () => {
  const { address } = await operator()
  await expect(fetchSession([address], { id: 'x', payloads: false })).rejects.toMatchObject({
    code: 'INVALID',
    details: { field: 'id' },
  })
  await expect(fetchSessions([address], { limit: 1, machine: 'm'.repeat(300) })).rejects.toMatchObject({
    code: 'INVALID',
    details: { field: 'machine' },
  })
})

test('a transfer of leadership names the next leader, and each way in which it fails has a code', async () => {
  const { node, address } = await operator()
  node.addressOf = () => 'n2:1'
  node.leader = nodeId('n2')
  expect(await transferLeadership([address], 'n2')).toEqual({ leader: 'n2', address: 'n2:1' })
  expect(await transferLeadership([address])).toEqual({ leader: 'n2', address: 'n2:1' })
  expect(node.transfers).toEqual(['n2', null])
  const codes = {
    timedOut: 'TRANSFER_TIMED_OUT',
    notVoter: 'NOT_VOTER',
    inactive: 'TARGET_INACTIVE',
    noTarget: 'NO_TARGET',
    busy: 'TRANSFER_UNDERWAY',
  } as const
  for (const [outcome, code] of Object.entries(codes)) {
    node.transferOutcome = outcome as keyof typeof codes
    await expect(transferLeadership([address], 'n2')).rejects.toMatchObject({ code })
  }
})
