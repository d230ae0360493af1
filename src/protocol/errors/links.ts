import type { Rows } from './row.ts'

/** Connections of clients. */
export const CONNECTION_ERRORS: Rows = {
  MALFORMED_FRAME: [
    'INVALID_ARGUMENT',
    false,
    'A frame could not be read; the connection was closed.',
    'The layout is in docs/format.md, "Session frames"; use a matching version of the library.',
  ],
  SLOW_READER: [
    'RESOURCE_EXHAUSTED',
    true,
    'The client read too slowly and too much had piled up for it; the connection was cut.',
    'Connect again; nothing acknowledged is lost. Read faster or hold fewer sessions per connection.',
  ],
  ENTRIES_PASSED_OVER: [
    'DATA_LOSS',
    true,
    'The node took over a snapshot of another member in place of entries that it had not applied: whoever watches it missed those.',
    'Watch again; another node, with `--since`, tells of what was missed as far as its log is kept.',
  ],
  TOO_MANY_CONNECTIONS: [
    'RESOURCE_EXHAUSTED',
    true,
    'The node serves as many client connections as it may.',
    'Connect to another node or close connections.',
  ],
  UNAVAILABLE: [
    'UNAVAILABLE',
    true,
    'Nobody answers at the address, or the connection broke.',
    'The SDK goes on trying all endpoints; check the addresses and `holdfast status`.',
  ],
  ENDED: ['UNAVAILABLE', true, 'The server ended the stream.', 'The SDK connects again.'],
  NODE_STOPPED: [
    'UNAVAILABLE',
    true,
    'The node stopped because of a fault.',
    "Connect to another node; the node's log names the fault.",
  ],
  SUBJECT_KEY_PENDING: [
    'UNAVAILABLE',
    true,
    'A personal field was to be told, and this node does not have its key, or cannot confirm that its subject is not forgotten.',
    'The SDK connects again, to another node perhaps; look at `holdfast status` for nodes that are down.',
  ],
  INTERNAL: ['INTERNAL', false, 'A bug: the node could not serve a message.', 'Report it with its sentence.'],
}

/** Connections of nodes with each other. */
export const PEER_ERRORS: Rows = {
  MALFORMED_FRAME: [
    'FAILED_PRECONDITION',
    false,
    'A peer frame could not be read.',
    'Check that all nodes run compatible versions.',
  ],
  CORRUPT_FRAME: [
    'FAILED_PRECONDITION',
    true,
    "A peer frame's checksum does not match.",
    'It is sent again; look at memory and network if it repeats.',
  ],
  WRONG_CLUSTER: [
    'FAILED_PRECONDITION',
    false,
    'The peer belongs to another cluster.',
    'Check the addresses in the configuration.',
  ],
  REMOVED: [
    'FAILED_PRECONDITION',
    false,
    "The sender's disk was a member of the cluster and is none any more.",
    'Stop it; a machine joins anew with an empty directory: `holdfast join`, then `holdfast member add`.',
  ],
  WRONG_GROUP: ['FAILED_PRECONDITION', false, 'The peer speaks for another group.', 'Check the configuration.'],
  WRONG_RECIPIENT: [
    'FAILED_PRECONDITION',
    false,
    "The frame is for another node: this node's address is configured for somebody else.",
    'Check the addresses in the configuration.',
  ],
  WRONG_INSTANCE: [
    'FAILED_PRECONDITION',
    false,
    'The node has another data directory than its peers know: it was replaced.',
    'Start it on the directory that its peers know. If that is lost: `holdfast member replace ID` gives its place to the new one.',
  ],
}

/** Listening. */
export const SERVER_ERRORS: Rows = {
  PEER_UNREACHABLE: [
    'UNAVAILABLE',
    true,
    'Nothing answers at the address of a member, as seen from where `holdfast doctor` ran.',
    'Start that node, or look at address, name and firewall in between.',
  ],
  SLOW_DISK: [
    'FAILED_PRECONDITION',
    false,
    'The disk of the data directory takes so long to sync that followers answer late and leaders are lost.',
    'Look for what else writes there; a node needs a disk whose fdatasync takes milliseconds.',
  ],
  FEW_DESCRIPTORS: [
    'FAILED_PRECONDITION',
    false,
    'A process may open fewer files than a node needs.',
    'Raise the limit: `ulimit -n`, or LimitNOFILE of the service.',
  ],
  PORT_IN_USE: [
    'FAILED_PRECONDITION',
    false,
    'Another process listens on the port.',
    'Stop it or choose another port.',
  ],
  ADDRESS_UNAVAILABLE: [
    'FAILED_PRECONDITION',
    false,
    'The server cannot listen on the address.',
    'Choose an address of this machine.',
  ],
  NOT_LOOPBACK: [
    'FAILED_PRECONDITION',
    false,
    'Without authentication the server listens on loopback only.',
    'Listen on 127.0.0.1, ::1 or localhost.',
  ],
  INTERNAL: [
    'INTERNAL',
    false,
    'The server failed in a way that it should not have.',
    "Look at the node's log and report it.",
  ],
}
