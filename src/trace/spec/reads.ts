import type { StepLine } from '../line.ts'
import { allow } from './not-allowed.ts'
import { configurationOf, isQuorum, ledBefore, type SpecServer, type WaitingRead } from './server.ts'

/**
 * Reads without an entry (thesis §6.4): an answer holds all that was committed when the read came, and a majority has
 * followed the leader since. Where leases are in force the second is a matter of clocks, and is not asked.
 */
export function checkReads(server: SpecServer, line: StepLine, committedBefore: number): void {
  const { event, state } = line
  if (!ledBefore(server, line)) server.reads = []
  else noteRead(server, line, committedBefore)
  for (const { id, index } of line.reads) {
    if (ledBefore(server, line) && state.role === 'leader') answer(server, { node: server.name, life: null, id }, index)
    else checkTold(server, line, { id, index })
  }
  for (const { to, message } of line.sends) {
    if (message.kind === 'readIndexResponse')
      answer(server, { node: to, life: message.life, id: message.id }, message.index)
  }
  noteSent(server, line)
  if (event.kind === 'receive' && state.role !== 'leader') server.reads = []
}

/**
 * A read of a process comes with all before it. What the network delivers twice, or late, is no new read: it was asked for
 * before the one came that is known.
 */
function noteRead({ name, reads, heard, sequence }: SpecServer, { event }: StepLine, commit: number): void {
  const read = readOf(name, event)
  if (read === null) return
  const asker = askerOf(read)
  if (read.id <= (heard.get(asker) ?? -1)) return
  heard.set(asker, read.id)
  reads.push({ ...read, commit, sequence })
}

function askerOf({ node, life }: Pick<WaitingRead, 'node' | 'life'>): string {
  return `${node} ${life ?? ''}`
}

function readOf(name: string, event: StepLine['event']): Pick<WaitingRead, 'node' | 'life' | 'id'> | null {
  if (event.kind === 'read') return { node: name, life: null, id: event.id }
  if (event.kind !== 'receive' || event.message.kind !== 'readIndex') return null
  const { life, id } = event.message
  return { node: event.from, life, id }
}

/** Answers that read, and all of that process before it. */
function answer(server: SpecServer, to: Pick<WaitingRead, 'node' | 'life' | 'id'>, index: number): void {
  const isMeant = ({ node, life, id }: WaitingRead): boolean => node === to.node && life === to.life && id <= to.id
  const configuration = configurationOf(server)
  const asked = to.id <= (server.heard.get(askerOf(to)) ?? -1)
  allow(asked, 'only reads that were asked for are answered', () => `read ${to.id} of ${to.node}`)
  // What earlier leaders committed lies below its own first entry; until that is committed it cannot know how far (etcd
  // #20418).
  const least = (server.firstOwn ?? 1) - 1
  allow(
    index >= least,
    'a new leader answers no read from before its office (thesis §6.4)',
    () => `${index} < ${least}`,
  )
  for (const read of server.reads.filter(isMeant)) {
    const { commit, sequence, id, node } = read
    allow(index >= commit, 'a read sees what was committed before it (thesis §6.4)', () => `${index} for ${commit}`)
    if (configuration?.lease === true) continue
    const follows = (voter: string): boolean => voter === server.name || (server.followed.get(voter) ?? 0) > sequence
    allow(
      isQuorum(configuration, follows),
      'a read waits until a majority follows the leader still (thesis §6.4)',
      () => `read ${id} of ${node}, which came after #${sequence}; answered: ${JSON.stringify([...server.followed])}`,
    )
  }
  server.reads = server.reads.filter((read) => !isMeant(read))
}

/** A leader's answer is to a process, and to a read of it: one to an earlier process says nothing to this one (etcd #7331). */
function checkTold(
  { asked }: SpecServer,
  { event }: StepLine,
  read: { readonly id: number; readonly index: number },
): void {
  const told = event.kind === 'receive' && event.message.kind === 'readIndexResponse' ? event.message : null
  const right = told !== null && told.index === read.index && told.id === read.id && told.life === asked
  const seen = (): string => `read ${read.id} at ${read.index}, told ${JSON.stringify(told)}`
  allow(right, 'a follower reads at the index that its leader gave', seen)
}

function noteSent(server: SpecServer, { sends }: StepLine): void {
  for (const { message } of sends) {
    if (message.kind === 'readIndex') server.asked = message.life
    if (message.kind !== 'appendEntries' && message.kind !== 'installSnapshot') continue
    server.sequence = Math.max(server.sequence, message.sequence)
  }
}
