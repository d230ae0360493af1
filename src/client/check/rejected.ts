/**
 * Hears the rejection of what a function gave that was not to give a promise: unheard it would end the process. Does
 * nothing for anything else. What the value itself throws when it is looked at is thrown.
 */
export function onRejected(returned: unknown, failed: (error: unknown) => void): void {
  if (typeof returned !== 'object' || returned === null) return
  if ('then' in returned && typeof returned.then === 'function') returned.then(undefined, failed)
}
