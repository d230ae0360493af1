import { listErrors } from '../protocol/errors.ts'
import { CommandError, EXIT } from './terminal/exit.ts'
import { paint, print } from './terminal/output.ts'

/** `holdfast explain CODE`: cause and cure of a code in every scope that raises it; without a code, a list of all. */
export function explain(code: string | null): void {
  if (code === null) {
    print([...new Set(listErrors().map((row) => row.code))].sort().join('\n'))
    return
  }
  const rows = listErrors(code.toUpperCase())
  if (rows.length === 0) {
    const cure = 'holdfast explain lists those of the server and the library. A machine documents its own codes.'
    throw new CommandError(EXIT.failure, `there is no error code ${code}`, cure)
  }
  const seen = new Set<string>()
  for (const { scope, entry } of rows) {
    const text = `${entry.cause}\n  What to do: ${entry.cure}\n  gRPC status ${entry.status}; ${repeatable(entry.retryable)}`
    if (seen.has(text)) continue
    seen.add(text)
    const scopes = rows.filter((row) => row.entry.cause === entry.cause).map((row) => row.scope)
    print(`${paint('bold', code.toUpperCase())} (${(scopes.length > 0 ? scopes : [scope]).join(', ')}): ${text}`)
  }
}

function repeatable(retryable: boolean): string {
  return retryable ? 'the same call may be sent again unchanged' : 'sending the same call again does not help'
}
