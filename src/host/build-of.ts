import { identityOf, type Mount } from '../machine/index.ts'
import type { NodeParts } from '../assembly/compose-node.ts'
import { packageFacts } from './package-facts.ts'

/** What this process is built of, as its peers are told: machines in the order of their names, versions rising. */
export function buildOf(definitions: Mount['definitions']): NonNullable<NodeParts['build']> {
  const identities = definitions.map(identityOf).sort((left, right) => left.version - right.version)
  const names = [...new Set(identities.map(({ name }) => name))].sort()
  const machines = names.map((name) => ({
    name,
    versions: identities
      .filter((identity) => identity.name === name)
      .map(({ version, schema, code }) => ({ version, schema, code })),
  }))
  return { machines, runtime: process.version, holdfast: packageFacts().version }
}
