import { formatHostPort } from '../../base/host-port.ts'
import { defaultEndpoints } from '../cluster/address.ts'
import { readSettings, type TypedFlags } from '../config/read-settings.ts'
import { type ListingForm, printListing } from '../terminal/listing.ts'
import { loadMachines } from './load-machines.ts'
import { machineLines } from './machine-lines.ts'
import { askMachines, declaredMachines } from './machine-sides.ts'

/** `holdfast machine list`: what every node has of every machine, and the module beside them if one is named. */
export async function listMachines(flags: TypedFlags, form: ListingForm): Promise<void> {
  const { values, origins } = await readSettings(flags)
  const declared =
    values.machines === undefined ? null : declaredMachines(await loadMachines(values.machines, origins.machines))
  const reports = await askMachines(values.endpoints?.map(formatHostPort) ?? defaultEndpoints())
  printListing(form, {
    name: 'machines',
    lines: machineLines(reports, declared),
    columns: {
      machine: (line) => line.machine,
      node: (line) => line.node,
      active: (line) => line.active,
      versions: (line) => line.versions.join(',') || null,
      schema: (line) => line.schema?.slice(0, 12) || null,
      code: (line) => line.code?.slice(0, 12) ?? null,
      differs: (line) => line.differs.join('; ') || null,
    },
  })
}
