/** Exit code of a process whose disk failed it (storage.md §5; EX_IOERR). */
export const EXIT_STORAGE_FAULT = 74

/** A failed write or sync is never retried: the process ends, the quorum lives (raft.md §5). */
export function exitOnFault(): void {
  process.exit(EXIT_STORAGE_FAULT)
}
