import type { Mutant } from '../mutant.ts'

/** Who waits for the driver. */
export const NODE: readonly Mutant[] = [
  {
    id: 'node/keep-alive-waits-for-ever',
    breaks: 'a session whose keep-alive waits when the leader steps down is told nothing',
    file: 'src/node/leadership.ts',
    find: "    this.duties.refuse('NOT_LEADER')\n",
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/node/cluster.test.ts'] },
  },
]
