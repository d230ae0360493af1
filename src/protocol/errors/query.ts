import { NODE_ERRORS, PROOF_ERRORS } from './refusals.ts'
import type { Rows } from './row.ts'

/** Queries. */
export const QUERY_ERRORS: Rows = {
  ...NODE_ERRORS,
  ...PROOF_ERRORS,
  VALIDATION_ERROR: [
    'INVALID_ARGUMENT',
    false,
    "The input does not fit the query's schema.",
    'Correct what the issues name.',
  ],
  MACHINE_NOT_ACTIVE: [
    'FAILED_PRECONDITION',
    true,
    'This build has the machine, and the log as this node has applied it has not switched to it.',
    'Ask again, or another node. A new machine is switched on once every node of the cluster has it.',
  ],
  UNKNOWN_MACHINE: [
    'NOT_FOUND',
    false,
    'No machine of that name is mounted.',
    'Check the name, and that every node was started with the machine.',
  ],
  UNKNOWN_QUERY: [
    'NOT_FOUND',
    false,
    'The machine has no query of that name.',
    "Check the name in the machine's definition, and that every node runs the same version of it.",
  ],
  BEHIND: [
    'UNAVAILABLE',
    true,
    'This node did not reach the index that the query asked for in time.',
    'Ask again, here or at another node.',
  ],
  READ_UNCONFIRMED: [
    'UNAVAILABLE',
    true,
    'No leader confirmed in time that this node may answer, or this node had not applied what it must show.',
    'Ask again, here or at another node; `holdfast status` shows who leads. `stale` asks nobody.',
  ],
}
