import type { LogListener } from '../../node/ports/log-store.ts'
import type { StorageFault } from '../../node/ports/storage-fault.ts'
import { StartError } from '../start-error.ts'

/** Tells when writes of a log are on disk. */
export class Persisted implements LogListener {
  private newest = 0
  private fault: StorageFault | null = null
  private wake: () => void = () => undefined

  onPersisted(write: number): void {
    this.newest = write
    this.wake()
  }

  onFault(fault: StorageFault): void {
    this.fault = fault
    this.wake()
  }

  /** Resolves once that write is on disk; rejects with StartError when it cannot be. One call outstanding at a time. */
  async reaches(write: number): Promise<void> {
    while (this.newest < write) {
      if (this.fault !== null) throw new StartError(this.fault)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }
}
