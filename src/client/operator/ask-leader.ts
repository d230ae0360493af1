import { callOperator, type NodeCall, refusalOf } from '../connection/grpc.ts'

/** How long a cluster may take to have a leader where the caller does not say, ms, and how long one node to answer. */
const SEARCH_MS = 5_000
const ANSWER_MS = 5_000
const PAUSE_MS = 100

/** The leader refused, or no node of the cluster answered as leader: `NO_LEADER`. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError'
  /** Of the error registry, scope `operator` or `client`. */
  readonly code: string
  /** Scalar details of the refusal. */
  readonly details: { readonly [key: string]: string }

  constructor(code: string, message: string, details: { readonly [key: string]: string } = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** Codes that another node, or the same one a moment later, may not answer with. */
const PASSING: ReadonlySet<string> = new Set(['NOT_LEADER', 'HALTED', 'SHUTTING_DOWN', 'OVERLOADED', 'OUTCOME_UNKNOWN'])

/**
 * Asks the leader, whichever of these nodes knows it: one call of `OperatorService`, repeated while nobody leads, and its
 * response message. Rejects with OperatorError; with `NO_LEADER` after `searchMs`.
 */
export async function askLeader(endpoints: readonly string[], call: NodeCall, searchMs = SEARCH_MS): Promise<unknown> {
  const until = performance.now() + searchMs
  let last = 'no node answered'
  let queue = [...endpoints]
  while (performance.now() < until) {
    const endpoint = queue.shift()
    if (endpoint === undefined) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      queue = [...endpoints]
      continue
    }
    try {
      return await callOperator(endpoint, call, ANSWER_MS)
    } catch (error) {
      const info = refusalOf(error)
      const message = error instanceof Error ? error.message : String(error)
      if (info !== null && !PASSING.has(info.reason)) throw new OperatorError(info.reason, message, info.metadata)
      last = `${endpoint}: ${message}`
      const leader = info?.metadata['address'] ?? ''
      if (leader !== '' && leader !== endpoint) queue = [leader, ...queue.filter((other) => other !== leader)]
    }
  }
  throw new OperatorError('NO_LEADER', `no node answered as leader (${last})`)
}
