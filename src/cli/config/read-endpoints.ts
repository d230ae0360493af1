import { formatHostPort } from '../../base/host-port.ts'
import { defaultEndpoints } from '../cluster/address.ts'
import { readSettings, type TypedFlags } from './read-settings.ts'

/** `host:port` of the nodes that a command talks to: as given, else where `dev` listens. Rejects as `readSettings` does. */
export async function readEndpoints(flags: TypedFlags): Promise<string[]> {
  const { values } = await readSettings(flags)
  return values.endpoints?.map(formatHostPort) ?? defaultEndpoints()
}
