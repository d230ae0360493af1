import { fromXState } from '../../src/machine/xstate/index.ts'
import { lease } from './lease-chart.ts'

/** The module that the bench's nodes load: the chart as a machine, an instance per entity. */
export const leases = fromXState(lease, { name: 'leases', version: 1, timeField: 'now' })
