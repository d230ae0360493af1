import { z } from 'zod'
import { command, type Context, defineMachine, type Parsed, query, type SessionId, table } from '../../machine/index.ts'

/** Name of the machine of the board. */
export const BOARD = 'board'
/** Rows of a table that one query or command looks through. */
const ROWS_MAX = 100_000

const id = z.string().min(1).max(16)
const post = z.object({ owner: z.string(), price: z.number(), tag: z.string().nullable(), at: z.int() })
/** How a notice is sent: `plain` refuses the command where there is no room, `hint` may be dropped, `latest` replaces. */
const kind = z.enum(['plain', 'hint', 'latest'])
const notice = z.object({ to: z.string(), kind })
const numbered = z.object({ number: z.int() })
const field = z.union([z.string(), z.number()])
const bounds = z.object({
  index: z.enum(['byOwner', 'byPrice', 'byTag']),
  prefix: z.array(field),
  from: z.array(field).nullable(),
  to: z.array(field).nullable(),
})
const page = bounds.extend({
  limit: z.int().min(1),
  reverse: z.boolean(),
  after: z.tuple([id, post]).nullable(),
})
/** A post as queries give it: id, owner, price, tag, at. */
const line = z.tuple([id, z.string(), z.number(), z.string().nullable(), z.int()])
const told = z.object({
  kind,
  /** Times that it is sent; null: as the limits say. */
  attemptsMax: z.int().min(1).nullable(),
  /** After the entry's own time; null: no deadline. */
  withinMs: z.int().min(1).nullable(),
})

export type Post = Parsed<typeof post>
export type Line = Parsed<typeof line>
export type Bounds = Parsed<typeof bounds>
export type Page = Parsed<typeof page>
export type Notice = Parsed<typeof notice>
export type Told = Parsed<typeof told>

const schema = {
  version: 1,
  state: {
    posts: table(id, post, {
      indexes: { byOwner: ['owner', 'at'], byPrice: ['price'], byTag: ['tag', 'price'] },
    }),
    /** Sessions that hear of every post. */
    readers: table(z.string(), z.object({ session: z.custom<SessionId>((given) => typeof given === 'string') })),
    /** Everything that was ever emitted, by its number. */
    notices: table(z.int(), notice),
    /** How often each was buried. */
    buried: table(z.int(), z.int()),
  },
  requests: { plain: numbered, hint: numbered, latest: numbered },
} as const

type BoardContext = Context<typeof schema>

/**
 * A board of posts that are looked up by owner, price and tag, and of which all sessions are told. Only the visitors
 * of this folder use it.
 */
export const board = defineMachine(BOARD, schema, {
  commands: {
    /** Writes a post, and tells everybody. */
    put: command(
      { input: z.object({ id, post, told: told.nullable() }), output: z.int() },
      (ctx, { id, post, told }) => {
        ctx.state.posts.set(id, { ...post, at: ctx.index })
        return told === null ? 0 : tell(ctx, told)
      },
    ),
    take: command({ input: id, output: z.boolean() }, (ctx, id) => ctx.state.posts.delete(id)),
    /** Another price for all posts of an owner, found by the index; how many. */
    reprice: command(
      { input: z.object({ owner: z.string(), by: z.number() }), output: z.int() },
      (ctx, { owner, by }) => {
        const own = ctx.state.posts.byOwner.prefix([owner], { limit: ROWS_MAX })
        for (const [id, post] of own) ctx.state.posts.set(id, { ...post, price: Math.round((post.price + by) * 4) / 4 })
        return own.length
      },
    ),
    /** Takes all posts of a tag away; how many the index still has then. */
    clear: command({ input: z.string(), output: z.int() }, (ctx, tag) => {
      const tagged = ctx.state.posts.byTag.range({ prefix: [tag], limit: ROWS_MAX, reverse: true })
      for (const [id] of tagged) ctx.state.posts.delete(id)
      return ctx.state.posts.byTag.count({ prefix: [tag] })
    }),
    /** Does all that `put` does, and takes it back. */
    regret: command({ input: z.object({ id, post, told }), output: z.null() }, (ctx, { id, post, told }) => {
      ctx.state.posts.delete(id)
      ctx.state.posts.set(`${id}+`, post)
      tell(ctx, told)
      return ctx.reject('NOT_FOUND', { id })
    }),
  },
  queries: {
    all: query({ input: z.null(), output: z.array(line) }, (view) => lines(view.posts.range({ limit: ROWS_MAX }))),
    one: query({ input: id, output: line.nullable() }, (view, id) => {
      const post = view.posts.get(id)
      return post === undefined ? null : lineOf(id, post)
    }),
    page: query({ input: page, output: z.array(line) }, (view, { index, limit, reverse, after, ...rest }) =>
      lines(anyIndex(view.posts[index]).range({ ...given(rest), limit, reverse, after: after ?? undefined })),
    ),
    count: query({ input: bounds, output: z.int() }, (view, { index, ...rest }) =>
      anyIndex(view.posts[index]).count(given(rest)),
    ),
    notices: query({ input: z.int(), output: z.array(z.tuple([z.int(), z.string(), kind])) }, (view, from) =>
      view.notices.range({ from, limit: ROWS_MAX }).map(([number, { to, kind }]) => [number, to, kind] as const),
    ),
    buried: query({ input: z.int(), output: z.int() }, (view, number) => view.buried.get(number) ?? 0),
  },
  onSessionCreated: (ctx, session) => ctx.state.readers.set(session.id, { session: session.id }),
  onSessionExpired: (ctx, session) => void ctx.state.readers.delete(session.id),
  onDeadLetter: (ctx, { payload }) => {
    const { number } = numbered.parse(payload)
    ctx.state.buried.set(number, (ctx.state.buried.get(number) ?? 0) + 1)
  },
})

/** One notice for each reader; how many were emitted. */
function tell(ctx: BoardContext, { kind, attemptsMax, withinMs }: Told): number {
  const [last] = ctx.state.notices.range({ limit: 1, reverse: true })
  let number = last?.[0] ?? 0
  let emitted = 0
  const options = {
    ...(kind === 'hint' ? ({ overflow: 'dropOldest' } as const) : {}),
    ...(kind === 'latest' ? ({ overflow: 'coalesce', key: 'board' } as const) : {}),
    ...(attemptsMax === null ? {} : { attemptsMax }),
    ...(withinMs === null ? {} : { deadlineAt: ctx.now + withinMs }),
  }
  for (const [to, { session }] of ctx.state.readers.range({ limit: ROWS_MAX })) {
    if (!ctx.emit(session, kind, { number: number + 1 }, options)) continue
    number += 1
    emitted += 1
    ctx.state.notices.set(number, { to, kind })
  }
  return emitted
}

const lines = (rows: readonly (readonly [string, Post])[]): Line[] => rows.map(([id, post]) => lineOf(id, post))

export const lineOf = (id: string, { owner, price, tag, at }: Post): Line => [id, owner, price, tag, at]

/** Bounds without those that are absent. */
function given({ prefix, from, to }: Omit<Bounds, 'index'>): AnyBounds {
  return { prefix, ...(from === null ? {} : { from }), ...(to === null ? {} : { to }) }
}

type Fields = Bounds['prefix']
type AnyBounds = { readonly prefix?: Fields; readonly from?: Fields; readonly to?: Fields }

interface AnyIndex {
  range(
    asked: AnyBounds & { limit: number; reverse: boolean; after: Page['after'] | undefined },
  ): readonly (readonly [string, Post])[]
  count(asked: AnyBounds): number
}

/** Visitors ask each index for fields of its own kinds only, which its type cannot know. */
const anyIndex = (index: object): AnyIndex => index as unknown as AnyIndex
