/**
 * Whether the node's disk has room for what clients add. Whoever composes the node looks at the disk now and then, never per
 * command.
 */
export interface DiskRoom {
  /** Less is left than is kept for what must go on: a leader takes no commands. PERF: read with each of them. */
  readonly short: boolean
}
