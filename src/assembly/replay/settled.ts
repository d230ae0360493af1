import type { StorageDone } from '../../node/ports/storage-fault.ts'

/** What a store gives to its callback, as a promise. Rejects with an Error that has the fault's `code`. */
export function settled<Value>(run: (done: StorageDone<Value>) => void): Promise<Value> {
  return new Promise((resolve, reject) => {
    run((fault, value) => {
      if (fault === null) resolve(value)
      else reject(Object.assign(new Error(fault.message), { code: fault.code }))
    })
  })
}
