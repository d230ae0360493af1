import { fetchStatus, type NodeStatusReport } from '../../client/index.ts'
import { clusterStatus, exitCodeOf, type NodeReport } from './cluster-status.ts'
import { statusText } from './status-text.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

const ANSWER_MS_MAX = 2000

/**
 * `holdfast status`: exit code 0 when all is well, 5 when a node is missing or unwell, 6 when the cluster does not serve, 3
 * when nobody answered.
 */
export async function status(flags: {
  readonly endpoints: readonly string[]
  readonly json: boolean
}): Promise<ExitCode> {
  const reports = await askWithLeader(flags.endpoints)
  if (reports.every((report) => report.status === null)) {
    throw new CommandError(
      EXIT.cannotConnect,
      `no node answered at ${flags.endpoints.join(', ')}`,
      'Start one with `holdfast dev`, or name others with --endpoints.',
    )
  }
  const cluster = clusterStatus(reports)
  if (flags.json) printJson(cluster)
  else print(statusText(cluster))
  return exitCodeOf(cluster)
}

/** What every endpoint says of itself, and the leader that they name: it knows of its followers. */
async function askWithLeader(endpoints: readonly string[]): Promise<NodeReport[]> {
  const reports = await askAll(endpoints)
  const known = reports.flatMap((report) => (report.status === null ? [] : [report.status]))
  const newest = known.toSorted((left, right) => right.term - left.term).find((status) => status.leader !== null)
  if (newest === undefined || newest.leaderAddress === '' || known.some((status) => status.id === newest.leader))
    return reports
  if (endpoints.includes(newest.leaderAddress)) return reports
  return [...reports, ...(await askAll([newest.leaderAddress]))]
}

interface AskedNode extends NodeReport {
  readonly status: NodeStatusReport | null
}

/** What every endpoint says of itself; a status of null for those that do not answer in time. */
export async function askAll(endpoints: readonly string[]): Promise<AskedNode[]> {
  return Promise.all(
    endpoints.map(async (endpoint) => {
      try {
        return { endpoint, status: await fetchStatus(endpoint, ANSWER_MS_MAX) }
      } catch {
        return { endpoint, status: null }
      }
    }),
  )
}
