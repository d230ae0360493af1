import type { Command } from 'commander'
import { LOG_LEVELS } from '../../protocol/log-level.ts'
import type { TypedFlags } from './read-settings.ts'

/** Flags of settings: read together with the environment and the file, so that all mistakes are told at once. */
const SETTING_FLAGS = {
  machines: ['--machines <module>', "module that exports machine definitions (default: the product's machines)"],
  id: ['--id <id>', 'id of this node, one of those in --peers'],
  endpoints: [
    '--endpoints <host:port,...>',
    'nodes to talk to; any of them leads to the leader (default: where dev listens)',
  ],
  data: ['--data <directory>', 'where the state is kept; of dev: data/dev, or data/cluster with --nodes'],
  peers: ['--peers <id=host:port,...>', 'all members of the cluster, this node among them'],
  listen: ['--listen <host:port>', 'where to listen; of start: its address in --peers, of dev: 127.0.0.1:4600'],
  http: [
    '--http <host:port>',
    'where to take callbacks by HTTP, on loopback; off: nowhere (default: off; of dev: 127.0.0.1:4680)',
  ],
  webhookSecret: [
    '--webhook-secret <text>',
    'last part of the path of callbacks; HOLDFAST_WEBHOOK_SECRET keeps it out of the list of processes',
  ],
  limits: ['--limits <name=number,...>', 'limits of a new cluster that differ from the defaults'],
  insecure: ['--insecure', 'listen beyond loopback although clients are not authenticated'],
  development: ['--development', 'run machines as dev does, to find what is not deterministic; on every node alike'],
  leases: ['--leases <true|false>', 'leaders answer linearizable queries by leases, or ask; default: as the log says'],
  traceSteps: [
    '--trace-steps <dir>',
    'append each step of consensus to a file there, for `holdfast trace check`; slow',
  ],
  diskReserve: ['--disk-reserve <bytes>', 'below so much free disk a leader refuses commands; default: 256 MiB'],
  logLevel: ['--log-level <level>', `what the node's log on stderr tells: ${LOG_LEVELS.join(', ')}`],
} as const

type SettingFlag = keyof typeof SETTING_FLAGS

/** Of every setting. */
export const SETTING_FLAGS_ALL = Object.keys(SETTING_FLAGS) as readonly SettingFlag[]

/** Gives a command the flags of these settings, and `--config`. */
export function withSettings(command: Command, names: readonly SettingFlag[]): Command {
  for (const name of names) {
    const [flag, words] = SETTING_FLAGS[name]
    command.option(flag, words)
  }
  return command.option('--config <file>', 'file with settings (default: holdfast.config.ts, .mjs, .js or .yaml here)')
}

/** The nodes that a command talks to; what reads them is loaded then. */
export async function endpointsOf(flags: TypedFlags): Promise<string[]> {
  const { readEndpoints } = await import('./read-endpoints.ts')
  return readEndpoints(flags)
}
