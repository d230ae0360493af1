import type { StorageFault } from '../node/ports/storage-fault.ts'
import { StartError } from './start-error.ts'

/** What a store gives to its callback, as a promise. Rejects with StartError. */
export function opened<Value>(
  run: (done: (fault: StorageFault | null, value: Value | null) => void) => void,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((fault, value) => {
      if (fault !== null || value === null) {
        reject(fault === null ? new Error('a store opened without a value') : new StartError(fault))
      } else resolve(value)
    })
  })
}
