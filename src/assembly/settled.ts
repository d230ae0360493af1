import type { StorageDone, StorageFault } from '../node/ports/storage-fault.ts'

/**
 * What a store gives to its callback, as a promise. Rejects with what `failure` makes of the fault: without it an Error that
 * has the fault's `code`.
 */
export function settled<Value>(run: (done: StorageDone<Value>) => void, failure = coded): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((fault, value) => (fault === null ? resolve(value) : reject(failure(fault))))
  })
}

/** As `settled`, of what gives a value whenever it gives no fault. */
export async function opened<Value>(
  run: (done: StorageDone<Value | null>) => void,
  failure?: (fault: StorageFault) => Error,
): Promise<Value> {
  const value = await settled(run, failure)
  if (value === null) throw new Error('a store opened without a value')
  return value
}

function coded(fault: StorageFault): Error {
  return Object.assign(new Error(fault.message), { code: fault.code })
}
