import { checkOptions } from './check-options.ts'
import type { EmbeddedOptions, NodeOptions } from './node-options.ts'
import type { RunningNode } from './running-node.ts'

/*
 * What stores, servers and peers are made of is loaded with the first node that starts: programs that are clients alone
 * import `holdfast` too.
 */

/**
 * Starts one node of a cluster: it listens (default: at its own address in `peers`) and takes part; whether there is a
 * leader yet is another question. The first election of a new cluster needs all of `peers`, each later one a majority.
 *
 * Rejects with StartError (an option, before anything is opened; the data directory) or ListenError (the port); then
 * nothing is held, and the same call may be repeated.
 */
export async function startNode(options: NodeOptions): Promise<RunningNode> {
  const checked = checkOptions(options, () => ({}))
  const { runNode } = await import('./run-node.ts')
  return runNode(checked)
}

/**
 * Starts one durable node without peers, named `n1`, that leads when the promise resolves. It listens on `listen` (default:
 * any free port of 127.0.0.1) besides serving clients of this process. Rejects as `startNode` does.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<RunningNode> {
  const checked = checkOptions(options, ({ listen = '127.0.0.1:0' }: { readonly listen?: string }) => {
    return { id: 'n1', listen, peers: { n1: listen } }
  })
  const { runAlone } = await import('./run-node.ts')
  return runAlone(checked)
}
