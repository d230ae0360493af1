import { fetchStatus } from '../../client/index.ts'
import { clusterStatus, isHealthy, type NodeReport, statusText } from './cluster-status.ts'
import { CommandError, EXIT, type ExitCode } from '../terminal/exit.ts'
import { print, printJson } from '../terminal/output.ts'

const ANSWER_MS_MAX = 2000

/** `holdfast status`: exit code 0 when all is well, 5 when a node is missing or behind, 3 when nobody answered. */
export async function status(flags: {
  readonly endpoints: readonly string[]
  readonly json: boolean
}): Promise<ExitCode> {
  const reports = await askAll(flags.endpoints)
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
  return isHealthy(cluster) ? EXIT.ok : EXIT.degraded
}

/** What every endpoint says of itself; a status of null for those that do not answer in time. */
export async function askAll(endpoints: readonly string[]): Promise<NodeReport[]> {
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
