/**
 * True for the codec's refusal of something that is not plain data. By name: this folder knows the codec by its types alone
 * and gets it by constructor.
 */
export function isValueError(error: unknown): boolean {
  return error instanceof Error && error.name === 'ValueError'
}
