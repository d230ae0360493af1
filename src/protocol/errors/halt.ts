import type { Rows } from './row.ts'

/** Why a node applies nothing more and serves nothing, although it lives, votes and replicates (sessions.md §10). */
export const HALT_ERRORS: Rows = {
  MACHINE_MISSING: [
    'FAILED_PRECONDITION',
    false,
    'The log switched to a machine, or a version of one, that this build does not have; the node stopped applying before it.',
    'Start the node with a build that has the machine in that version; its data needs nothing.',
  ],
  MACHINE_DIFFERS: [
    'FAILED_PRECONDITION',
    false,
    'This build has the machine and version that the log names, with another schema; the node stopped applying before it.',
    'Start the node with the build that the other nodes run, or give the changed machine a new version.',
  ],
  REPLAY_DIVERGED: [
    'DATA_LOSS',
    false,
    'The log, applied again, gave another state than before the restart: a handler changed without a new version.',
    'Start the build that ran before on the same data, and give the changed machine a new version. Where that build is gone and others have the right state: `holdfast recover refetch-state --data DIR`.',
  ],
  ENGINE_ERROR: [
    'INTERNAL',
    false,
    'The JavaScript engine failed inside apply (stack, memory or an invalid length), which other replicas need not share; the node stopped there.',
    'Where another voter got past the entry, the node takes its state by itself. Where none did: more memory or stack for Node and a restart, or `holdfast recover skip`.',
  ],
  SKIP_MISSED: [
    'INTERNAL',
    true,
    "A part of an entry that is skipped was run here before the node knew; its state from there on is nobody's.",
    'Nothing is to be done: it makes its state anew of an earlier snapshot, or takes that of another voter.',
  ],
  STATE_AWAITED: [
    'UNAVAILABLE',
    false,
    'The state of this node was set aside, by `holdfast recover refetch-state` or because it was damaged, and that of the others is not here yet.',
    'Keep the others running. It ends by itself once their snapshots agree, or for a damaged one as soon as one of them answers.',
  ],
  REMOVED: [
    'FAILED_PRECONDITION',
    false,
    "This node's disk was removed from the cluster, or another disk has taken its place; it serves nobody.",
    'Stop it. To use the machine again, start it with `holdfast join` on an empty directory and add it with `holdfast member add`.',
  ],
  DIVERGED: [
    'DATA_LOSS',
    false,
    'This node made another state of the same entries than most replicas did: it runs other code, or its code depends on the process.',
    'Start it with the build and runtime of the others. If it halts again, a snapshot holds the difference: stop it, run `holdfast recover refetch-state --data DIR`, and start it.',
  ],
}
