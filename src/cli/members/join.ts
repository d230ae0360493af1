import { formatHostPort, parseHostPort } from '../../base/host-port.ts'
import { readSettings } from '../config/read-settings.ts'
import { asked } from '../sessions/asked.ts'
import { type StartFlags, startWith } from '../start.ts'
import { usageError } from '../terminal/exit.ts'
import { say } from '../terminal/output.ts'
import { findMembers } from './find-members.ts'

/** Options of `holdfast join`. */
export interface JoinFlags extends StartFlags {
  /** Seconds in which one of the members must answer as leader. */
  readonly wait: number
}

/** An election takes less. */
const QUIET_MS = 5000

/**
 * `holdfast join`: learns cluster id and members from any member, and runs a node that is none yet. Once it is one it is
 * started the same way again, or by `holdfast start` with the members' addresses.
 */
export async function join({ peers: given, wait, ...flags }: JoinFlags): Promise<void> {
  const settings = await readSettings(flags, ['id', 'data', 'listen'])
  const { id = '', listen } = settings.values
  const endpoints = addressesOf(given)
  const patience = { quietMs: QUIET_MS, waitMs: wait * 1000, told: (why: string) => say(waiting(why, wait)) }
  const { clusterId, members } = await asked(findMembers(endpoints, patience))
  const peers = Object.fromEntries(
    members.flatMap((member) =>
      member.role === 'waiting' || member.address === '' ? [] : [[member.id, member.address]],
    ),
  )
  const own = listen === undefined ? {} : { [id]: formatHostPort(listen) }
  if (!members.some((member) => member.id === id && member.role !== 'waiting')) {
    say(`${id} is no member of the cluster yet: it waits until \`holdfast member add ${id}\` makes it one`)
  }
  await startWith(flags, settings, { peers: { ...peers, ...own }, clusterId })
}

function waiting(why: string, seconds: number): string {
  return `${why}; waits up to ${seconds} s for a leader: are the members running, and are these their addresses?`
}

/** `host:port` or `id=host:port` each. */
function addressesOf(given: unknown): readonly string[] {
  const words = typeof given === 'string' ? given.split(',').map((part) => part.trim()) : []
  const addresses = words.map((word) => word.slice(word.indexOf('=') + 1))
  const wrong = addresses.find((address) => parseHostPort(address) === null)
  if (wrong === undefined && addresses.length > 0) return addresses
  throw usageError(
    wrong === undefined ? '--peers: is not given' : `--peers: "${wrong}" is not an address`,
    'Write the host:port of at least one member, as in --peers 10.0.0.1:4600.',
  )
}
