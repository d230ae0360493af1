/** Exit code of a process whose disk failed it (storage.md §5; EX_IOERR). */
export const EXIT_STORAGE_FAULT = 74
/** Exit code of a process whose engine failed inside apply (sessions.md §10; EX_SOFTWARE). */
export const EXIT_ENGINE_ERROR = 70

/** A failed write or sync is never retried: the process ends, the quorum lives (raft.md §5). */
export function exitOnFault(fault: { readonly code: string }): void {
  process.exit(fault.code === 'ENGINE_ERROR' ? EXIT_ENGINE_ERROR : EXIT_STORAGE_FAULT)
}
