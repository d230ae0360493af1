import { table, withCommas } from '../terminal/output.ts'
import type { MachineFailuresReport } from '../../client/index.ts'
import type { MachineLine } from './builds-of-nodes.ts'
import type { ClusterStatus } from './cluster-status.ts'

/** One screen for a person. */
export function statusText(status: ClusterStatus): string {
  const dash = (value: string | number | null): string => (value === null ? '-' : String(value))
  const rows = status.nodes.map((node) => [
    node.id,
    node.role,
    node.health,
    dash(node.appliedIndex),
    dash(node.lagEntries),
    dash(node.lagMs === null ? null : Math.round(node.lagMs)),
    dash(node.fsyncP99Ms === null ? null : node.fsyncP99Ms.toFixed(2)),
    dash(node.stateHash === null ? null : node.stateHash.slice(0, 12)),
  ])
  const header = ['node', 'role', 'health', 'applied', 'lag entries', 'lag ms', 'fsync p99 ms', 'state hash']
  const verdict = status.canLose < 0 ? `${why(status)}: the cluster does not serve` : `can lose ${status.canLose} more`
  const first = `leader ${status.leader ?? 'none'}, term ${status.term}, ${verdict}`
  return [`${first}\n`, table([header, ...rows]), ...notes(status)].join('\n')
}

function why({ leader, halted }: ClusterStatus): string {
  return halted.some(({ node }) => node === leader) ? 'the leader has halted' : 'no quorum'
}

/** What explains the table. */
function notes(status: ClusterStatus): string[] {
  const { refusals, awaited, halted, differs, nodes, reads, machines, differences } = status
  const lines = refusals.map(({ peer, code }) => `${peer} is refused: holdfast explain ${code}`)
  if (awaited.length > 0) {
    lines.push(`the first election needs all initial nodes; not heard yet: ${awaited.join(', ')}`)
  }
  lines.push(...halted.map(({ node, code, message }) => `${node} has halted, ${code}: ${message}`))
  lines.push(
    ...differs.map(
      ({ node, nodes: others, index }) =>
        `${node}: ${others.join(' and ')} made another state of the log at entry ${index}; keep the data for diagnosis`,
    ),
  )
  lines.push(...recoveries(status))
  const diverged = nodes.filter((node) => node.health === 'diverged').map((node) => node.id)
  if (diverged.length > 0)
    lines.push(`another state at an equal index: ${diverged.join(', ')}; keep the data for diagnosis`)
  lines.push(...nodes.flatMap(({ id, failures }) => (failures === null ? [] : failureNote(id, failures))))
  if (reads !== null) lines.push(readsText(reads))
  if (machines.length > 0) lines.push(`machines: ${machines.map(machineText).join(', ')}`)
  lines.push(...differences)
  return lines.length === 0 ? [] : ['', ...lines]
}

/** A lease that nobody needs is not renewed. */
function readsText({ leaseMs, leaseHeld, readRounds }: NonNullable<ClusterStatus['reads']>): string {
  const asked = `${readRounds} ${readRounds === 1 ? 'round' : 'rounds'} of reads in this term`
  if (leaseMs === 0) return `reads: without a lease, ${asked}`
  return `reads: a lease of ${leaseMs} ms, ${leaseHeld ? 'held' : 'not held until somebody reads'}, ${asked}`
}

/** What nodes wait for that have lost something, and what helps them. */
function recoveries({ pulls, owes, nodes }: ClusterStatus): string[] {
  return [
    ...pulls.map(
      ({ node, from, index, rows, total }) =>
        `${node} takes the snapshot of ${from} at entry ${index}: ${withCommas(rows)} of ${withCommas(total)} rows are here`,
    ),
    ...owes.map((owed) => `${owed.node} does not vote, for its log was damaged: ${owedText(owed, nodes)}`),
  ]
}

function owedText(owed: ClusterStatus['owes'][number], nodes: ClusterStatus['nodes']): string {
  const { kind, node, term, index, told } = owed
  const entry = `entry ${index} of term ${term}`
  if (kind === 'census') {
    const silent = nodes.map(({ id }) => id).filter((id) => id !== node && !told.includes(id))
    return `its newest write is lost, and every other voter must tell its term; not heard yet: ${silent.join(', ') || 'none'}`
  }
  return `it must reach ${entry} again, from the others; keep them running`
}

function machineText({ name, active, schema }: MachineLine): string {
  if (active === 0) return `${name} (not switched on)`
  return schema === '' ? `${name} ${active}` : `${name} ${active} (schema ${schema.slice(0, 12)})`
}

function failureNote(id: string, { total, last }: MachineFailuresReport): string[] {
  if (total === 0 || last === null) return []
  const { machine, kind, name, index, reason } = last
  const function_ =
    kind === 'hook' ? [name, ...(machine === '' ? [] : [`of ${machine}`])] : [kind, `${machine}.${name}`]
  const times = total === 1 ? 'once' : `${total} times`
  return [`machines failed ${times} on ${id}, last ${function_.join(' ')} at index ${index} (${reason}): see its log`]
}
