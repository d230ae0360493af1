import { connect, createServer } from 'node:net'
import { formatHostPort, type HostPort } from '../../base/host-port.ts'
import { fetchStatus, type NodeStatusReport } from '../../client/index.ts'
import { type Finding, well, wrong } from './finding.ts'

/** What takes longer to answer is not there. */
const ANSWER_MS = 2000

/** Whether a node could listen there; a node that runs there is asked below instead. */
export function checkPort(address: HostPort): Promise<Finding> {
  const shown = formatHostPort(address)
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error) => {
      const message = `${shown} cannot be listened on: ${error.message}`
      resolve(wrong('port', { code: 'PORT_IN_USE', message }, `ss -ltnp 'sport = :${address.port}'`))
    })
    server.listen({ host: address.host, port: address.port }, () => {
      server.close(() => resolve(well('port', `${shown} is free`)))
    })
  })
}

/** Whether something answers at the address of a peer, which may not be started yet. */
export function checkPeer(id: string, address: HostPort): Promise<Finding> {
  const shown = `${id} at ${formatHostPort(address)}`
  return new Promise((resolve) => {
    const socket = connect({ host: address.host, port: address.port })
    const end = (found: Finding): void => {
      socket.destroy()
      resolve(found)
    }
    const unreachable = (why: string): Finding =>
      wrong(
        'peer',
        { code: 'PEER_UNREACHABLE', message: `${shown} does not answer: ${why}` },
        `holdfast status --endpoints ${formatHostPort(address)}`,
      )
    socket.setTimeout(ANSWER_MS, () => end(unreachable(`nothing within ${ANSWER_MS} ms`)))
    socket.once('error', (error) => end(unreachable(error.message)))
    socket.once('connect', () => end(well('peer', `${shown} answers`)))
  })
}

/** What nodes that run say of themselves, one finding each. */
export async function checkNodes(endpoints: readonly string[]): Promise<readonly Finding[]> {
  const told = await Promise.all(
    endpoints.map(async (endpoint) => ({
      endpoint,
      status: await fetchStatus(endpoint, ANSWER_MS).catch((error: unknown) => String(error)),
    })),
  )
  const clusters = told.flatMap(({ status }) => (typeof status === 'string' ? [] : [status.clusterId]))
  return told.map(({ endpoint, status }) => {
    if (typeof status !== 'string') return nodeFinding(endpoint, status, clusters[0] ?? '')
    const message = `${endpoint} does not answer: ${status}`
    return wrong('node', { code: 'PEER_UNREACHABLE', message }, `holdfast status --endpoints ${endpoint}`)
  })
}

function nodeFinding(endpoint: string, status: NodeStatusReport, clusterId: string): Finding {
  const { id, halted, role, appliedIndex } = status
  const shown = `${id} at ${endpoint}`
  if (halted !== null)
    return wrong(
      'node',
      { code: halted.code, message: `${shown}: ${halted.message}` },
      `holdfast explain ${halted.code}`,
    )
  if (status.clusterId !== clusterId) {
    const message = `${shown} belongs to cluster ${status.clusterId}, the first of them to ${clusterId}`
    return wrong('node', { code: 'WRONG_CLUSTER', message }, `holdfast status --endpoints ${endpoint}`)
  }
  return well('node', `${shown}: ${role}, entry ${appliedIndex} applied`)
}
