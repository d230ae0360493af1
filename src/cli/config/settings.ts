import { z } from 'zod'
import { isNodeId, nodeId } from '../../base/brand.ts'
import { parseHostPort } from '../../base/host-port.ts'
import { didYouMean } from '../../base/suggest.ts'
import { limitProblems } from '../../host/limit-problems.ts'
import { PeerListError, parsePeers } from '../../host/peer-list.ts'
import { isWebhookSecret, WEBHOOK_SECRET_FORM } from '../../protocol/webhook-secret.ts'
import { LOG_LEVELS } from '../../protocol/log-level.ts'

/** How one setting is named in each place that may give it, and read from there. */
export interface Setting {
  readonly flag: string
  readonly environment: string
  /** The value of a flag or of the environment, which is text, in the form that a file has. Default: the text. */
  readonly fromText?: (text: string) => unknown
  /** It names a file or directory: in a file, beside that file. */
  readonly path?: true
  /** It is shown to nobody. */
  readonly secret?: true
  readonly schema: z.ZodType
}

const address = z.string(wanted('host:port')).transform((text, context) => {
  const parsed = parseHostPort(text)
  if (parsed !== null) return parsed
  context.addIssue(`"${text}" is not an address; write host:port, as in 127.0.0.1:4600 or [::1]:4600`)
  return z.NEVER
})

const httpAddress = z.union([z.literal('off'), address], {
  error: ({ input }) =>
    typeof input === 'string'
      ? `"${input}" is not an address; write host:port, as in 127.0.0.1:4680, or off`
      : 'must be host:port or off',
})

const peers = z
  .union([z.string(), z.record(z.string(), z.string())], wanted('{ id: host:port, … }'))
  .transform((list, context) => {
    try {
      return parsePeers(list)
    } catch (error) {
      if (!(error instanceof PeerListError)) throw error
      context.addIssue({ code: 'custom', message: error.message, path: error.member === null ? [] : [error.member] })
      return z.NEVER
    }
  })

const limits = z
  .record(z.string(), z.number(wanted('a number')), wanted('{ name: number, … }'))
  .transform((given, context) => {
    for (const { name, problem } of limitProblems(given)) {
      context.addIssue({ code: 'custom', message: problem, path: [name] })
    }
    return given
  })

const logLevel = z.enum(LOG_LEVELS, {
  error: ({ input }) => {
    const meant = typeof input === 'string' ? didYouMean(input, LOG_LEVELS) : null
    return `must be one of ${LOG_LEVELS.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`
  },
})

/** Every setting: flag, environment and file call it by one name. */
export const SETTINGS = {
  machines: {
    flag: '--machines',
    environment: 'HOLDFAST_MACHINES',
    path: true,
    schema: z.string(wanted('the path of a module')).refine((text) => text.trim() !== '', 'must name a module'),
  },
  id: {
    flag: '--id',
    environment: 'HOLDFAST_ID',
    schema: z
      .string(wanted('a text'))
      .refine(isNodeId, 'must be a node id: 1–63 of a-z 0-9 -')
      .transform((text) => nodeId(text)),
  },
  endpoints: {
    flag: '--endpoints',
    environment: 'HOLDFAST_ENDPOINTS',
    fromText: (text) => text.split(',').map((part) => part.trim()),
    schema: z.array(address, wanted('a list of host:port')).min(1, 'must name at least one'),
  },
  data: {
    flag: '--data',
    environment: 'HOLDFAST_DATA',
    path: true,
    // An empty name, as an unset variable of a script gives it, would be the current directory.
    schema: z
      .string(wanted('the path of a directory'))
      .refine((text) => text.trim() !== '' && !text.includes('\0'), 'It must name a directory.'),
  },
  peers: { flag: '--peers', environment: 'HOLDFAST_PEERS', schema: peers },
  listen: { flag: '--listen', environment: 'HOLDFAST_LISTEN', schema: address },
  http: { flag: '--http', environment: 'HOLDFAST_HTTP', schema: httpAddress },
  webhookSecret: {
    flag: '--webhook-secret',
    environment: 'HOLDFAST_WEBHOOK_SECRET',
    secret: true,
    schema: z.string(wanted('a text')).refine(isWebhookSecret, WEBHOOK_SECRET_FORM),
  },
  limits: { flag: '--limits', environment: 'HOLDFAST_LIMITS', fromText: numbersIn, schema: limits },
  insecure: {
    flag: '--insecure',
    environment: 'HOLDFAST_INSECURE',
    fromText: (text) => ({ true: true, false: false })[text] ?? text,
    schema: z.boolean(wanted('true or false')),
  },
  development: {
    flag: '--development',
    environment: 'HOLDFAST_DEVELOPMENT',
    fromText: (text) => ({ true: true, false: false })[text] ?? text,
    schema: z.boolean(wanted('true or false')),
  },
  leases: {
    flag: '--leases',
    environment: 'HOLDFAST_LEASES',
    fromText: (text) => ({ true: true, false: false })[text] ?? text,
    schema: z.boolean(wanted('true or false')),
  },
  traceSteps: {
    flag: '--trace-steps',
    environment: 'HOLDFAST_TRACE_STEPS',
    path: true,
    schema: z.string(wanted('the path of a directory')).refine((text) => text.trim() !== '', 'must name a directory'),
  },
  diskReserve: {
    flag: '--disk-reserve',
    environment: 'HOLDFAST_DISK_RESERVE',
    fromText: (text) => (/^\d+$/.test(text) ? Number(text) : text),
    schema: z.number(wanted('a number of bytes, 0 or more')).int().min(0),
  },
  logLevel: { flag: '--log-level', environment: 'HOLDFAST_LOG_LEVEL', schema: logLevel },
} as const satisfies { readonly [name: string]: Setting }

export type SettingName = keyof typeof SETTINGS

/** In the order of the table. */
export const SETTING_NAMES = Object.keys(SETTINGS) as readonly SettingName[]

/** What was given, read; a setting that nothing gave is absent. */
export type SettingValues = { readonly [Name in SettingName]?: z.output<(typeof SETTINGS)[Name]['schema']> }

function wanted(what: string): { error: string } {
  return { error: `must be ${what}` }
}

/** `commandBytesMax=65536,windowRequests=64`; what is no number stays text, which the schema refuses with its name. */
function numbersIn(text: string): unknown {
  const pairs = text.split(',').map((part) => part.trim().split('=', 2))
  return Object.fromEntries(
    pairs.map(([name = '', number = '']) => [name, /^\d+$/.test(number) ? Number(number) : number]),
  )
}
