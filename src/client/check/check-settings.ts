import { LIMIT_MS_MAX } from '../../codec/entry/default-limits.ts'
import { isPrincipal } from '../../codec/entry/names.ts'
import { CLIENT_NAME_CHARS_MAX, ROLES_MAX, SECRET_BYTES_MAX, SECRET_BYTES_MIN } from '../../protocol/limits.ts'
import type { SessionSettings, SessionToken } from '../session/session-settings.ts'
import { capabilities } from './check-input.ts'
import { boolean, fieldsOf, integer, list, name, text } from './fields.ts'
import { InvalidArgument } from './invalid-argument.ts'

/**
 * How a session is opened, read once into a copy of its own. Throws InvalidArgument with the field, or what the value's
 * own getters throw.
 */
export function checkSettings(given: unknown): SessionSettings {
  const {
    principal,
    roles,
    capabilities: granted,
    name: shown,
    timeoutMs,
    ordered,
    resume,
  } = fieldsOf(given, 'settings')
  return {
    principal: checkPrincipal(principal),
    roles: list(roles, 'roles', { most: ROLES_MAX, item: name }),
    capabilities: capabilities(granted, 'capabilities'),
    name: text(shown, 'name', [0, CLIENT_NAME_CHARS_MAX]),
    timeoutMs: integer(timeoutMs, 'timeoutMs', [1, LIMIT_MS_MAX]),
    ordered: boolean(ordered, 'ordered'),
    resume: resume === null ? null : checkToken(resume, 'resume'),
  }
}

function checkPrincipal(value: unknown): string {
  if (typeof value === 'string' && isPrincipal(value)) return value
  throw new InvalidArgument('principal', 'must be `kind:id`, such as `user:42`, and not `system`', 'PRINCIPAL_INVALID')
}

function checkToken(value: unknown, field: string): SessionToken {
  const { group, incarnation, index, secret, epoch } = fieldsOf(value, field)
  return {
    group: integer(group, `${field}.group`, UINT32),
    incarnation: integer(incarnation, `${field}.incarnation`, UINT32),
    index: integer(index, `${field}.index`, [1, Number.MAX_SAFE_INTEGER]),
    secret: checkSecret(secret, `${field}.secret`),
    epoch: epoch === undefined ? 0 : integer(epoch, `${field}.epoch`, [0, Number.MAX_SAFE_INTEGER]),
  }
}

/** A secret is not shown, whatever it is. */
function checkSecret(value: unknown, field: string): string {
  if (typeof value === 'string' && SECRET.test(value)) return value
  throw new InvalidArgument(field, `must be ${SECRET_BYTES_MIN} to ${SECRET_BYTES_MAX} bytes in lower-case hexadecimal`)
}

const UINT32 = [0, 0xffffffff] as const
const SECRET = new RegExp(`^(?:[0-9a-f]{2}){${SECRET_BYTES_MIN},${SECRET_BYTES_MAX}}$`)
