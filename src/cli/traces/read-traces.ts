import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { TraceLine } from '../../trace/line.ts'
import { CommandError, errorCode, EXIT } from '../terminal/exit.ts'

const natural = z.int().min(0)
/** Entries of one term; a log of more has more lines than this program holds. */
const RUN_MAX = 2 ** 24
const run = z
  .object({ first: natural, last: natural, term: natural })
  .refine(({ first, last }) => last >= first && last - first < RUN_MAX)
const place = z.object({ index: natural, term: natural })
const vote = z.string().nullable()
const names = z.array(z.string())
const configuration = z.object({ index: natural, voters: names, learners: names, outgoing: names, lease: z.boolean() })
const verdict = z.looseObject({ granted: z.boolean() })

const message = z.discriminatedUnion('kind', [
  z.looseObject({ kind: z.literal('preVoteRequest'), term: natural, lastLogIndex: natural, lastLogTerm: natural }),
  z.looseObject({ kind: z.literal('preVoteResponse'), term: natural, requestTerm: natural, verdict }),
  z.looseObject({ kind: z.literal('logEnd'), term: natural, requestTerm: natural }),
  z.looseObject({ kind: z.literal('requestVote'), term: natural, lastLogIndex: natural, lastLogTerm: natural }),
  z.looseObject({ kind: z.literal('requestVoteResponse'), term: natural, verdict }),
  z.looseObject({
    kind: z.literal('appendEntries'),
    term: natural,
    prevLogIndex: natural,
    prevLogTerm: natural,
    runs: z.array(run),
    leaderCommit: natural,
    sequence: natural,
  }),
  z.looseObject({
    kind: z.literal('appendEntriesResponse'),
    term: natural,
    sequence: natural,
    result: z.discriminatedUnion('success', [
      z.looseObject({ success: z.literal(true), matchIndex: natural }),
      z.looseObject({ success: z.literal(false) }),
    ]),
  }),
  z.looseObject({
    kind: z.literal('installSnapshot'),
    term: natural,
    lastIncludedIndex: natural,
    lastIncludedTerm: natural,
    sequence: natural,
  }),
  z.looseObject({
    kind: z.literal('installSnapshotResponse'),
    term: natural,
    sequence: natural,
    matchIndex: natural,
  }),
  z.looseObject({ kind: z.literal('timeoutNow'), term: natural }),
  z.looseObject({ kind: z.literal('readIndex'), term: natural, life: z.number(), id: natural }),
  z.looseObject({ kind: z.literal('readIndexResponse'), term: natural, life: z.number(), id: natural, index: natural }),
])

const event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('receive'), from: z.string(), message }),
  z.object({ kind: z.literal('persisted'), write: natural }),
  z.object({ kind: z.literal('bootstrapped'), configuration }),
  z.object({ kind: z.literal('read'), id: natural }),
  z.object({ kind: z.literal('snapshotted'), index: natural }),
  z.object({
    kind: z.literal('snapshotInstalled'),
    index: natural,
    term: natural,
    configuration: configuration.nullable(),
  }),
  z.object({
    kind: z.enum([
      ...(['start', 'tick', 'propose', 'campaign', 'halted', 'resumed'] as const),
      ...(['votersHalted', 'transfer', 'reachable', 'unreachable', 'stalled'] as const),
      ...(['changeMembership', 'setLease'] as const),
    ]),
  }),
])

const traceLine = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('opened'),
    node: z.string(),
    instance: z.string(),
    term: natural,
    vote,
    base: natural,
    baseTerm: natural,
    runs: z.array(run),
    configurations: z.array(configuration),
    owes: z.boolean(),
  }),
  z.object({ kind: z.literal('written'), node: z.string(), write: natural }),
  z.object({
    kind: z.literal('step'),
    node: z.string(),
    event,
    write: z
      .object({
        number: natural,
        hardState: z.object({ term: natural, vote }).nullable(),
        truncateFrom: natural.nullable(),
        runs: z.array(run),
        restart: place.nullable(),
      })
      .nullable(),
    sends: z.array(z.object({ to: z.string(), message, after: natural.nullable() })),
    reads: z.array(z.object({ id: natural, index: natural })),
    state: z.object({
      role: z.enum(['follower', 'preCandidate', 'candidate', 'leader']),
      term: natural,
      vote,
      base: natural,
      baseTerm: natural,
      last: natural,
      lastTerm: natural,
      commit: natural,
      configuration: configuration.nullable(),
    }),
  }),
]) satisfies z.ZodType<TraceLine>

/**
 * The lines of all files `*.trace` of a directory, file by file. A line that a process was killed over ends in the middle,
 * and is left out: the next process of that node, if there was one, has begun with an empty line. Fails with CommandError.
 */
export function readTraces(directory: string): readonly TraceLine[] {
  const files = namesIn(directory).filter((name) => name.endsWith('.trace'))
  if (files.length === 0)
    throw new CommandError(EXIT.failure, `${directory} holds no file that ends with .trace.`, CURE)
  return files.sort().flatMap((file) => readTrace(join(directory, file)))
}

const CURE = 'Give the directory that nodes were started with as --trace-steps.'

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    throw new CommandError(EXIT.failure, `${directory} cannot be read: ${errorCode(error) ?? String(error)}`, CURE)
  }
}

function readTrace(file: string): readonly TraceLine[] {
  const texts = textOf(file).split('\n')
  // The next process of the node begins a line of its own, and says that it has opened its log.
  const isCut = (at: number): boolean => /^(?:$|\{"kind":"opened")/.test(texts[at + 1] ?? '')
  return texts.flatMap((text, at) => {
    if (text === '') return []
    const json = jsonOf(text)
    if (json === undefined && isCut(at)) return []
    const parsed = traceLine.safeParse(json)
    if (parsed.success) return [parsed.data]
    const path = parsed.error.issues[0]?.path ?? []
    throw new CommandError(
      EXIT.failure,
      `${file}, line ${at + 1}, is no step of a trace${path.length === 0 ? '' : ` (${path.join('.')})`}.`,
      CURE,
    )
  })
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new CommandError(EXIT.failure, `${file} cannot be read: ${errorCode(error) ?? String(error)}`, CURE)
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
