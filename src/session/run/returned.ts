import type { Value } from '../../codec/value/value.ts'

/** What a machine's function returned, which may be anything. */
export function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

export function isValue(outcome: unknown): outcome is { kind: 'value'; value: Value } {
  return (
    typeof outcome === 'object' &&
    outcome !== null &&
    'kind' in outcome &&
    outcome.kind === 'value' &&
    'value' in outcome
  )
}

export function isReject(outcome: unknown): outcome is { kind: 'reject'; code: string; details: Value } {
  if (typeof outcome !== 'object' || outcome === null) return false
  if (!('kind' in outcome) || outcome.kind !== 'reject') return false
  return 'code' in outcome && typeof outcome.code === 'string' && 'details' in outcome
}
