import type { SessionNumbers } from '../../src/codec/entry/payload.ts'
import type { AttachMessage, RequestMessage } from '../../src/protocol/up-frame.ts'
import { attachedClient, type Client, connect, type Heard, SECRET, type World, worldOf } from './recorder.ts'

/** A session that was attached on a connection which is gone; its client has a new one. */
export function detached(options: Parameters<typeof worldOf>[0] = {}, open: object = {}) {
  const world = worldOf(options)
  const { connection, session, epoch } = attachedClient(world, open)
  connection.end()
  return { world, session, epoch, client: connect(world) }
}

export function attachOf(
  session: SessionNumbers,
  replaces: number,
  overrides: Partial<AttachMessage> = {},
): AttachMessage {
  return { kind: 'attach', ...session, channel: 1, secret: SECRET, replaces, nonce: Buffer.alloc(16, 2), ...overrides }
}

/** Sends an attach with commands behind it, as one frame would. */
export function ride({ connection }: Client, attach: AttachMessage, requests: readonly RequestMessage[]): void {
  connection.receiveAttach(attach)
  for (const request of requests) connection.receiveRequest(request)
}

/** What was heard: each message as its name, or with its code; an answer as its id and how it was answered. */
export function said({ recorder }: Pick<Client, 'recorder'>): unknown[] {
  return recorder.take().map(([name, ...rest]: Heard) => {
    if (name === 'refused') return [name, (rest[2] as { code: string }).code]
    if (name !== 'responded') return name
    const answer = rest[2] as { kind: string; code?: string; replayed?: boolean }
    return [rest[1], answer.code ?? (answer.replayed === true ? 'replayed' : answer.kind)]
  })
}

/** Kinds of the entries that wait to be applied. */
export const kinds = (world: World): unknown[] => world.node.queue.map(({ kind }) => kind)
