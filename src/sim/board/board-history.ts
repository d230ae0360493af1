import type { Value } from '../../codec/value/value.ts'
import { encodeValue } from '../../codec/value/encode.ts'
import type { SessionStateMachine } from '../../session/session-state-machine.ts'
import { Violation } from '../checkers/violation.ts'
import { BOARD, type Bounds, type Line, type Page } from './board-machine.ts'

/** A question that visitors ask, or subscribe to. */
export type Asked =
  | { readonly query: 'one'; readonly input: string }
  | { readonly query: 'page'; readonly input: Page }
  | { readonly query: 'count'; readonly input: Bounds }

/** The posts after the entry at `index`, until that of the next version. */
interface Version {
  readonly index: number
  readonly posts: readonly Line[]
  /** Answers that were worked out, by what was asked. */
  readonly answers: Map<Asked, Uint8Array>
}

/** What each index orders by, as positions in a line. */
const FIELDS: { readonly [index in Bounds['index']]: readonly (1 | 2 | 3 | 4)[] } = {
  byOwner: [1, 4],
  byPrice: [2],
  byTag: [3, 2],
}

/**
 * The posts at every index, as the log made them: a scan of the table itself, without any index, so that what an index, a
 * subscription or a query at any node answers can be worked out from all posts of then.
 */
export class BoardHistory {
  private readonly versions: Version[] = [{ index: 0, posts: [], answers: new Map() }]
  private print = '[]'

  /** Of a machine that has just applied the entry at `index`, before any other one has. */
  applied(index: number, machine: SessionStateMachine): void {
    const answer = machine.query({ machine: BOARD, query: 'all', input: null, session: null })
    // Until the machine is switched on there are no posts.
    if (answer.kind !== 'value') return
    const print = JSON.stringify(answer.value)
    if (print === this.print) return
    this.print = print
    // As the query's schema says.
    this.versions.push({ index, posts: answer.value as unknown as readonly Line[], answers: new Map() })
  }

  /** Of the newest version. */
  get latest(): readonly Line[] {
    return this.versionAt(Number.MAX_SAFE_INTEGER).posts
  }

  /** The answer after the entry at `index`, encoded. */
  answerAt(index: number, asked: Asked): Uint8Array {
    return answerOf(this.versionAt(index), asked)
  }

  /** The first index in (`after`, `before`) at which the answer is another one than `value`; null: there is none. */
  changedBetween(after: number, before: number, { asked, value }: { asked: Asked; value: Uint8Array }): number | null {
    for (let at = this.positionOf(before - 1); at >= 0; at -= 1) {
      const version = this.versions[at] as Version
      if (version.index <= after) return null
      if (Buffer.compare(answerOf(version, asked), value) !== 0) return version.index
    }
    return null
  }

  private versionAt(index: number): Version {
    return this.versions[this.positionOf(index)] as Version
  }

  /** Of the version that was the newest at that index. */
  private positionOf(index: number): number {
    let [low, high] = [0, this.versions.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.versions[middle] as Version).index <= index) low = middle
      else high = middle - 1
    }
    return low
  }
}

function answerOf(version: Version, asked: Asked): Uint8Array {
  const known = version.answers.get(asked)
  if (known !== undefined) return known
  const answer = encodeValue(answered(version.posts, asked))
  version.answers.set(asked, answer)
  return answer
}

function answered(posts: readonly Line[], { query, input }: Asked): Value {
  if (query === 'one') return posts.find(([id]) => id === input) ?? null
  if (query === 'count') return within(posts, input).length
  return paged(within(posts, input), input)
}

/** Posts of an index within its bounds, in its order. */
function within(posts: readonly Line[], { index, prefix, from, to }: Bounds): Line[] {
  const fields = FIELDS[index]
  const compareFields = (line: Line, values: Bounds['prefix']): number => {
    for (const [at, value] of values.entries()) {
      const field = line[fields[at] ?? 1]
      const order = compare(field ?? '', value)
      if (order !== 0) return order
    }
    return 0
  }
  return posts
    .filter((line) => fields.every((field) => line[field] !== null))
    .filter((line) => compareFields(line, prefix) === 0)
    .filter((line) => from === null || compareFields(line, from) >= 0)
    .filter((line) => to === null || compareFields(line, to) < 0)
    .sort((left, right) => compareLines(index, left, right))
}

function paged(found: readonly Line[], { index, limit, reverse, after }: Page): Line[] {
  const order = reverse ? [...found].reverse() : found
  if (after === null) return order.slice(0, limit)
  const [id, { owner, price, tag, at }] = after
  const last: Line = [id, owner, price, tag, at]
  const behind = order.filter((line) => compareLines(index, line, last) * (reverse ? -1 : 1) > 0)
  return behind.slice(0, limit)
}

function compareLines(index: Bounds['index'], left: Line, right: Line): number {
  for (const field of FIELDS[index]) {
    const order = compare(left[field] ?? '', right[field] ?? '')
    if (order !== 0) return order
  }
  return compare(left[0], right[0])
}

/** Numbers by value, text by code point. */
function compare(left: string | number, right: string | number): number {
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (typeof left === 'string' && typeof right === 'string')
    return Buffer.compare(Buffer.from(left), Buffer.from(right))
  throw new Violation('a field holds values of one kind', { left, right })
}
