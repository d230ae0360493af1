import type { Catcher, Mutant } from '../mutant.ts'

const SCRIPTS: Catcher = { kind: 'tests', files: ['test/raft/scripts.test.ts'] }

/** Who waits for the driver, and whom it listens to. */
export const NODE: readonly Mutant[] = [
  {
    id: 'node/closing-leader-asks-once',
    breaks: 'a leader that closes leaves without a successor where no follower was heard lately',
    file: 'src/node/leaving/hand-over.ts',
    find: 'PASSING.has(outcome) && ',
    replace: 'PASSING.has(outcome) && until === 0 && ',
    caughtBy: { kind: 'tests', files: ['test/node/leaving/hand-over.test.ts'] },
  },
  {
    id: 'node/keep-alive-waits-for-ever',
    breaks: 'a session whose keep-alive waits when the leader steps down is told nothing',
    file: 'src/node/leadership.ts',
    find: "    this.duties.refuse('NOT_LEADER')\n",
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/node/cluster.test.ts'] },
  },
  {
    id: 'node/replaced-disk-counts',
    breaks:
      'a voter agrees on a disk by its late greeting, although it was replaced and the new one was told of this node',
    file: 'src/node/peers/bootstrap.ts',
    find: 'return heard.at(-1) === instance',
    replace: 'return true',
    caughtBy: { kind: 'tests', files: ['test/node/bootstrap.test.ts'] },
  },
  {
    id: 'node/snapshot-names-the-voter-before',
    breaks: 'a new disk that installs a snapshot goes as the voter of its id that another disk was',
    file: 'src/node/install/installation.ts',
    find: 'configurationIn(known.payload, identity)',
    replace: 'configurationIn(known.payload, null)',
    caughtBy: { kind: 'tests', files: ['test/node/install/replaced-disk.test.ts'] },
  },
  {
    id: 'node/strangers-have-addresses',
    breaks: 'an address is remembered of whoever knows the cluster id, without a bound, and told to listeners',
    file: 'src/node/peers/addresses.ts',
    find: "    if (!this.concerns(id)) return 'ignored'\n",
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/node/peers/peers.test.ts'] },
  },
  {
    id: 'node/dials-unjudged-address',
    breaks: 'an address that cannot be dialled, or that a stranger names, is handed to the transport',
    file: 'src/node/peers/peers.ts',
    find: "    if (learnt === 'ignored') return\n",
    replace: '',
    caughtBy: { kind: 'tests', files: ['test/node/peers/peers.test.ts'] },
  },
  {
    id: 'node/refused-link-stays',
    breaks: 'a wrong process that refuses frames at one address keeps a peer from being reached at the other',
    file: 'src/transport/peer-link.ts',
    find: "if (!this.open || end === 'refused') this.tried",
    replace: 'if (!this.open) this.tried',
    caughtBy: { kind: 'tests', files: ['test/transport/peer-link.test.ts'] },
  },
  {
    id: 'node/older-snapshot-pulled',
    breaks: 'a snapshot that is older than the log which is to go on from it is taken',
    file: 'src/node/install/snapshot-pull.ts',
    find: 'answer.meta.lastIncludedIndex >= this.least',
    replace: 'answer.meta.lastIncludedIndex >= 0',
    caughtBy: { kind: 'tests', files: ['test/node/install/snapshot-pull.test.ts'] },
  },
  {
    id: 'node/log-goes-before-its-snapshot',
    breaks: 'the log goes up to a boundary whose snapshot is not on disk yet',
    file: 'src/node/apply/apply-pipeline.ts',
    find: 'this.ports.retained.boundary()',
    replace: 'this.ports.retained.written(header.index)',
    caughtBy: { kind: 'tests', files: ['test/node/install/log-on-disk.test.ts'] },
  },
  {
    id: 'raft/news-untold',
    breaks: 'news of a commit that finds nothing to ride on waits for a heartbeat',
    file: 'src/raft/step.ts',
    find: '  maybeTellCommit(turn)\n',
    replace: '',
    caughtBy: SCRIPTS,
  },
  {
    id: 'raft/news-before-read',
    breaks: 'a follower that asks for a read waits for the news of a commit',
    file: 'src/raft/read-index.ts',
    find: '  tellCommit(turn, from)\n',
    replace: '',
    caughtBy: SCRIPTS,
  },
]
