import { opened as openedOrFailed } from '../assembly/settled.ts'
import type { StorageDone } from '../node/ports/storage-fault.ts'
import { StartError } from './start-error.ts'

/** What a store gives to its callback, as a promise. Rejects with StartError. */
export function opened<Value>(run: (done: StorageDone<Value | null>) => void): Promise<Value> {
  return openedOrFailed(run, (fault) => new StartError(fault))
}
