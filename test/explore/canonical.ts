import type { NodeId } from '../../src/base/brand.ts'
import type { Leader, RaftState } from '../../src/raft/state.ts'
import type { Node, Packet } from './node.ts'
import { placeOf, type World } from './world.ts'

/** 64 bits in two integers. */
export interface Sum {
  high: number
  low: number
}

/** Folds one integer into a sum: two multiplicative hashes with odd factors of their own. */
function fold(sum: Sum, value: number): void {
  sum.high = Math.imul(sum.high ^ value, 0x9e3779b1)
  sum.high ^= sum.high >>> 15
  sum.low = Math.imul(sum.low ^ (value + 0x7f4a7c15), 0x85ebca6b)
  sum.low ^= sum.low >>> 13
}

const begin = (): Sum => ({ high: 0x12345, low: 0x6789a })
const foldSum = (sum: Sum, other: Sum): void => {
  fold(sum, other.high)
  fold(sum, other.low)
}

/** Numbers and words alone; every field that differs anywhere has its place, and lists their length. */
function foldValue(sum: Sum, value: unknown): void {
  if (typeof value === 'number') return fold(sum, value | 0)
  if (typeof value === 'boolean') return fold(sum, value ? 1 : 2)
  if (value === null || value === undefined) return fold(sum, 3)
  if (typeof value === 'string') {
    for (let at = 0; at < value.length; at += 1) fold(sum, value.charCodeAt(at))
    return fold(sum, -1)
  }
  if (Array.isArray(value)) {
    for (const each of value) foldValue(sum, each)
    return fold(sum, -2)
  }
  for (const each of Object.values(value as object)) foldValue(sum, each)
  fold(sum, -3)
}

/**
 * The sum of a world that does not depend on which node is which: nodes are put in the order of what they hold, without the
 * names of others; among those that are alike every order is tried, and the least sum taken.
 */
export function sumOf(world: World): Sum {
  const own = world.nodes.map(ownSum)
  const order = [...own.keys()].sort((one, other) => compare(own[one] as Sum, own[other] as Sum))
  let least: Sum | null = null
  for (const permuted of ordersOf(order, own)) {
    const sum = sumInOrder(world, own, permuted)
    if (least === null || compare(sum, least) < 0) least = sum
  }
  return least as Sum
}

const compare = (one: Sum, other: Sum): number => one.high - other.high || one.low - other.low

/** All orders that differ from a sorted one among equals alone. */
function* ordersOf(order: readonly number[], own: readonly Sum[], from = 0): Generator<readonly number[]> {
  if (from >= order.length - 1) {
    yield order
    return
  }
  for (let at = from; at < order.length; at += 1) {
    if (compare(own[order[at] as number] as Sum, own[order[from] as number] as Sum) !== 0) continue
    const next = [...order]
    next[from] = order[at] as number
    next[at] = order[from] as number
    yield* ordersOf(next, own, from + 1)
  }
}

function sumInOrder(world: World, own: readonly Sum[], order: readonly number[]): Sum {
  const { nodes, links, leaders, committed, committedIn, crashes, commands, heartbeats } = world
  const count = nodes.length
  const places = new Array<number>(count)
  for (const [place, at] of order.entries()) places[at] = place
  const sum = begin()
  for (const at of order) {
    foldSum(sum, own[at] as Sum)
    foldNames(sum, nodes[at] as Node, places, order)
    for (const other of order) if (other !== at) foldSum(sum, linkSum(links[at * count + other] ?? []))
  }
  for (const leader of leaders) fold(sum, leader < 0 ? -1 : (places[leader] as number))
  for (const { payload } of committed) fold(sum, payload)
  for (const term of committedIn) fold(sum, term)
  fold(sum, crashes)
  fold(sum, commands)
  fold(sum, heartbeats)
  return sum
}

const ownSums = new WeakMap<Node, Sum>()

/** Of what a node holds that names no other. PERF: a step changes one node: the others' are known. */
function ownSum(node: Node): Sum {
  const known = ownSums.get(node)
  if (known !== undefined) return known
  const sum = begin()
  const { state, log, image, queue, waiting } = node
  foldValue(sum, [log, image.currentTerm, image.log, image.votedFor === null])
  for (const { write, entries } of queue) {
    const { hardState, truncateFrom } = write
    foldValue(sum, [hardState?.currentTerm, hardState?.votedFor === null, truncateFrom, entries, write.write])
  }
  fold(sum, -4)
  for (const { send, packet } of waiting) foldValue(sum, [send.after, packet])
  if (state === null) fold(sum, -5)
  else foldState(sum, state)
  ownSums.set(node, sum)
  return sum
}

function foldState(sum: Sum, state: RaftState): void {
  const { currentTerm, votedFor, commitIndex, disk, role } = state
  const outstanding = disk.outstanding.map(({ hardState, ...write }) => [write, hardState?.currentTerm])
  foldValue(sum, [currentTerm, votedFor === null, commitIndex, disk.lastWrite, disk.hardStateWrite, disk.durableIndex])
  foldValue(sum, [outstanding, role.kind])
  if (role.kind === 'follower') fold(sum, role.leader === null ? 1 : 2)
  if (role.kind === 'candidate') foldValue(sum, [role.granted.length, role.voteWrite, role.released, role.refused])
  if (role.kind === 'leader') fold(sum, role.firstOwnIndex)
}

/** Whom a node names, by place. */
function foldNames(
  sum: Sum,
  { state, image, queue, waiting }: Node,
  places: readonly number[],
  order: readonly number[],
): void {
  const place = (id: NodeId | null | undefined): number =>
    id === null || id === undefined ? -1 : (places[placeOf(id)] as number)
  fold(sum, place(image.votedFor))
  for (const { write } of queue) fold(sum, place(write.hardState?.votedFor))
  for (const { send } of waiting) fold(sum, place(send.to))
  if (state === null) return
  fold(sum, place(state.votedFor))
  const { role } = state
  if (role.kind === 'follower') fold(sum, place(role.leader))
  if (role.kind === 'candidate')
    fold(
      sum,
      role.granted.reduce((bits, id) => bits | (1 << place(id)), 0),
    )
  if (role.kind === 'leader') for (const at of order) foldSum(sum, progressSum(role, at))
}

const NOBODY = begin()
const progressSums = new WeakMap<object, Sum>()

function progressSum(role: Leader, at: number): Sum {
  for (const [id, progress] of role.progress) {
    if (placeOf(id) !== at) continue
    const known = progressSums.get(progress)
    if (known !== undefined) return known
    const sum = begin()
    foldValue(sum, progress)
    progressSums.set(progress, sum)
    return sum
  }
  return NOBODY
}

const linkSums = new WeakMap<readonly Packet[], Sum>()

function linkSum(link: readonly Packet[]): Sum {
  const known = linkSums.get(link)
  if (known !== undefined) return known
  const sum = begin()
  foldValue(sum, link)
  linkSums.set(link, sum)
  return sum
}
