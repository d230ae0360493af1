import { command, type Context, defineMachine, query, type SessionId, table } from 'holdfast'
import { z } from 'zod'

/** Messages of a room that are kept. */
export const HISTORY_MAX = 100
/** Members of a room: each message is a server request to each of them. */
const MEMBERS_MAX = 200

const room = z.string().min(1).max(64)
const name = z.string().min(1).max(32)

const schema = {
  version: 1,
  state: {
    /** By room and session: the same person may be there from two devices. By session alone for its end. */
    members: table(
      z.tuple([room, z.string()]),
      z.object({ name, session: z.custom<SessionId>((value) => typeof value === 'string') }),
      { indexes: { bySession: ['session'] } },
    ),
    messages: table(z.tuple([room, z.int()]), z.object({ from: name, text: z.string(), at: z.int() })),
  },
  errors: { NOT_A_MEMBER: z.object({ room }), ROOM_FULL: z.object({ max: z.int() }) },
  requests: {
    said: z.object({ room, number: z.int(), from: name, text: z.string() }),
    presence: z.object({ room, name, present: z.boolean() }),
  },
} as const

type ChatContext = Context<typeof schema>

/** Chat rooms: whoever is in one hears what is said there, and who comes and goes, also when a client just vanishes. */
export const chat = defineMachine('chat', schema, {
  commands: {
    join: command({ input: z.object({ room, name }), output: z.array(name) }, (ctx, { room, name }) => {
      const { id } = ctx.session
      const full = ctx.state.members.count({ prefix: [room] }) >= MEMBERS_MAX
      if (full && !ctx.state.members.has([room, id])) return ctx.reject('ROOM_FULL', { max: MEMBERS_MAX })
      ctx.state.members.set([room, id], { name, session: id })
      tell(ctx, room, (member) => ctx.emit(member, 'presence', { room, name, present: true }, HINT))
      return membersOf(ctx, room).map((member) => member.name)
    }),
    leave: command({ input: room, output: z.null() }, (ctx, room) => {
      leave(ctx, room, ctx.session.id)
      return null
    }),
    say: command(
      { input: z.object({ room, text: z.string().min(1).max(2000) }), output: z.object({ number: z.int() }) },
      (ctx, { room, text }) => {
        const member = ctx.state.members.get([room, ctx.session.id])
        if (member === undefined) return ctx.reject('NOT_A_MEMBER', { room })
        const [last] = ctx.state.messages.range({ prefix: [room], limit: 1, reverse: true })
        const number = (last?.[0][1] ?? 0) + 1
        ctx.state.messages.set([room, number], { from: member.name, text, at: ctx.now })
        ctx.state.messages.delete([room, number - HISTORY_MAX])
        tell(ctx, room, (listener) => ctx.emit(listener, 'said', { room, number, from: member.name, text }, HINT))
        return { number }
      },
    ),
  },
  queries: {
    present: query({ input: room, output: z.array(name) }, (view, room) =>
      view.members.range({ prefix: [room], limit: MEMBERS_MAX }).map(([, member]) => member.name),
    ),
    history: query(
      { input: room, output: z.array(z.object({ number: z.int(), from: name, text: z.string() })) },
      (view, room) =>
        view.messages
          .range({ prefix: [room], limit: HISTORY_MAX })
          .map(([[, number], { from, text }]) => ({ number, from, text })),
    ),
  },
  /** A client that closed, or was not heard of for its timeout. */
  onSessionExpired(ctx, session) {
    for (const [[room]] of ctx.state.members.bySession.prefix([session.id], { limit: Number.MAX_SAFE_INTEGER })) {
      leave(ctx, room, session.id)
    }
  },
})

/** Who reads too slowly loses the oldest of these, and asks `history`; nobody else waits for him. */
const HINT = { overflow: 'dropOldest' } as const

function membersOf(ctx: ChatContext, room: string) {
  return ctx.state.members.range({ prefix: [room], limit: MEMBERS_MAX }).map(([, member]) => member)
}

function tell(ctx: ChatContext, room: string, send: (session: SessionId) => void): void {
  for (const { session } of membersOf(ctx, room)) send(session)
}

function leave(ctx: ChatContext, room: string, session: SessionId): void {
  const member = ctx.state.members.get([room, session])
  if (member === undefined) return
  ctx.state.members.delete([room, session])
  tell(ctx, room, (listener) => ctx.emit(listener, 'presence', { room, name: member.name, present: false }, HINT))
}
