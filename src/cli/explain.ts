import { MACHINE_CODES } from '../machines/index.ts'
import { listErrors } from '../protocol/errors.ts'
import { CommandError, EXIT } from './terminal/exit.ts'
import { paint, print } from './terminal/output.ts'

/** What is said of a code: where it is raised, and what about it. */
interface Explanation {
  readonly scope: string
  readonly text: string
}

/** `holdfast explain CODE`: cause and cure of a code in every scope that raises it; without a code, a list of all. */
export function explain(code: string | null): void {
  if (code === null) return print(explainedCodes().join('\n'))
  const explanations = explanationsOf(code.toUpperCase())
  if (explanations.length === 0) {
    const cure = 'holdfast explain lists all that this package knows. A machine of your own documents its own codes.'
    throw new CommandError(EXIT.failure, `there is no error code ${code}`, cure)
  }
  for (const text of new Set(explanations.map((explanation) => explanation.text))) {
    const scopes = explanations.filter((explanation) => explanation.text === text).map(({ scope }) => scope)
    print(`${paint('bold', code.toUpperCase())} (${scopes.join(', ')}): ${text}`)
  }
}

/** Every code that is explained, sorted. */
export function explainedCodes(): string[] {
  const ofMachines = Object.values(MACHINE_CODES).flatMap((codes) => Object.keys(codes))
  return [...new Set([...listErrors().map((row) => row.code), ...ofMachines])].sort()
}

function explanationsOf(code: string): Explanation[] {
  const registered = listErrors(code).map(({ scope, entry }) => ({
    scope,
    text: `${sentences(entry)}\n  gRPC status ${entry.status}; ${repeatable(entry.retryable)}`,
  }))
  const ofMachines = Object.entries(MACHINE_CODES).flatMap(([machine, codes]) => {
    const entry = Object.hasOwn(codes, code) ? codes[code] : undefined
    return entry === undefined ? [] : [{ scope: `machine ${machine}`, text: sentences(entry) }]
  })
  return [...registered, ...ofMachines]
}

function sentences({ cause, cure }: { readonly cause: string; readonly cure: string }): string {
  return `${cause}\n  What to do: ${cure}`
}

function repeatable(retryable: boolean): string {
  return retryable ? 'the same call may be sent again unchanged' : 'sending the same call again does not help'
}
