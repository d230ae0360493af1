import type { RaftNode } from './api.ts'

/**
 * Calls back once, as soon as the node leads and may answer, at once when it does so already; or as soon as it has halted
 * (`node.halted`), because then it never will.
 */
export function whenLeading(node: RaftNode, ready: () => void): void {
  let told = false
  const check = (): void => {
    if (told || (!node.leading && node.halted === null)) return
    told = true
    ready()
  }
  node.listen({
    applied: () => undefined,
    batchApplied: () => undefined,
    roleChanged: check,
    stopped: () => undefined,
    noted: check,
  })
  check()
}
