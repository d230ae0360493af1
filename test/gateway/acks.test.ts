import { describe, expect, test } from 'vitest'
import { nodeId } from '../../src/base/brand.ts'
import { encodePayload } from '../../src/codec/entry/payload-codec.ts'
import { attachedClient, command, type Client, type World, worldOf } from './recorder.ts'
import { attachOf } from './riding.ts'

const N2 = nodeId('n2')

/** A session to which `count` requests were sent. */
function told(count: number, options: Parameters<typeof worldOf>[0] = {}) {
  const world = worldOf(options)
  const client = attachedClient(world)
  client.connection.receiveRequest(command(1, 'emit', count))
  world.node.run()
  return { world, ...client, first: requests(client) }
}

function requests({ recorder }: Pick<Client, 'recorder'>): unknown[] {
  const heard = recorder.take()
  return heard.filter(([name]) => name === 'serverRequest').map(([, , id]) => id)
}

function acknowledged({ recorder }: Pick<Client, 'recorder'>): unknown[] {
  const heard = recorder.take()
  return heard.filter(([name]) => name === 'acknowledged').map(([, , upTo]) => upTo)
}

function acks({ node }: World): number {
  return node.submitted.filter((kind) => kind === 'ServerRequestAck').length
}

describe('acknowledgements that ride on no command', () => {
  test('P-17 an ack of the last request is taken, and costs no second entry when it is said again', () => {
    const { world, connection, recorder } = told(3)
    connection.receiveAck(1, 3)
    world.node.run()
    expect(acknowledged({ recorder })).toEqual([3])
    connection.receiveAck(1, 3)
    world.node.run()
    expect(acknowledged({ recorder })).toEqual([3])
    expect(acks(world)).toBe(1)
  })

  test('a lower ack behind a higher one, while another is under way, lowers nothing', () => {
    const { world, connection, recorder } = told(5)
    for (const upTo of [1, 3, 2]) connection.receiveAck(1, upTo)
    world.node.run()
    expect(acknowledged({ recorder })).toEqual([1, 3])
  })

  test('an ack that was refused does not hold up the next one', () => {
    const { world, connection, recorder } = told(3)
    world.node.role = 'follower'
    connection.receiveAck(1, 1)
    world.node.role = 'leader'
    expect(recorder.take()).toMatchObject([['refused', 1, 'ack', { code: 'NOT_LEADER' }]])
    connection.receiveAck(1, 2)
    world.node.run()
    expect(acknowledged({ recorder })).toEqual([2])
  })

  test('nor does one that was lost with its leader', () => {
    const { world, connection, recorder } = told(3)
    connection.receiveAck(1, 1)
    world.node.loseLead(N2)
    world.node.becomeLeader()
    recorder.take()
    connection.receiveAck(1, 2)
    world.node.run()
    expect(acknowledged({ recorder })).toEqual([2])
  })

  test('one that waits while its session attaches again is fenced by that very attach, which its client is told', () => {
    const { world, connection, recorder, session, epoch } = told(5)
    for (const upTo of [1, 3]) connection.receiveAck(1, upTo)
    connection.receiveAttach(attachOf(session, epoch))
    world.node.run()
    const heard = recorder.take()
    const attached = heard.find(([name]) => name === 'attached') as [string, number, { epoch: number }]
    const details = { current: attached[2].epoch }
    expect(heard.at(-1)).toEqual(['refused', 1, 'ack', { code: 'FENCED', details }])
  })
})

describe('delivery', () => {
  test('P-18 a node that leads again has its whole credit again', () => {
    const { world, connection, recorder, first } = told(5, { gateway: { credit: 2 } })
    expect(first).toEqual([1, 2])
    world.node.loseLead(N2)
    recorder.take()
    world.node.becomeLeader()
    expect(requests({ recorder })).toEqual([1, 2])
    connection.receiveAck(1, 2)
    expect(requests({ recorder })).toEqual([3, 4])
  })

  test('what a retry sends again goes before what the same run adds, whichever entry comes last', () => {
    const { world, connection, recorder, session } = told(2)
    world.node.now += 60_000
    world.node.append('RetryServerRequests', encodePayload('RetryServerRequests', { sessions: [session] }))
    connection.receiveRequest(command(2, 'emit', 1))
    world.node.run()
    expect(requests({ recorder })).toEqual([1, 2, 3])
  })
})
