import { createServer, type Server } from 'node:net'

/**
 * Ports that were free a moment ago, all different: each is bound, and all are released together. Somebody else may take
 * one before its owner does; who starts servers on them tries again with others.
 */
export async function freePorts(count: number, host: string): Promise<number[]> {
  const servers: Server[] = []
  try {
    for (let number = 0; number < count; number += 1) servers.push(await listen(0, host))
    return servers.map(portOf)
  } finally {
    await Promise.all(servers.map(close))
  }
}

/** True when nobody listens on the port now. */
export async function portIsFree(port: number, host: string): Promise<boolean> {
  try {
    await close(await listen(port, host))
    return true
  } catch {
    return false
  }
}

function listen(port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}
