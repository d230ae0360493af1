import { descriptionOf, identityOf, type Mount } from '../machine/index.ts'
import type { NamedBuild } from '../server/cluster-service.ts'

/** A longer description is left out of an answer, which has to stay well below the bytes of one message. */
const DESCRIPTION_LENGTH_MAX = 256 * 1024

/** What operators are told of the machines of this process, made when they ask for the first time. */
export function namedBuilds(definitions: Mount['definitions']): () => readonly NamedBuild[] {
  let made: readonly NamedBuild[] | null = null
  return () =>
    (made ??= definitions.map((machine) => {
      const description = descriptionOf(machine)
      const text = description === null ? '' : JSON.stringify(description)
      return { ...identityOf(machine), description: text.length > DESCRIPTION_LENGTH_MAX ? '' : text }
    }))
}
