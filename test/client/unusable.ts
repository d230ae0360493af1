import fc from 'fast-check'
import { anything } from './anything.ts'

/** Values of one option: those that can be used, and those that cannot. */
interface Field {
  readonly good: readonly unknown[]
  readonly bad: readonly unknown[]
}

/** What is no object, of any kind, and what cannot even be looked at. */
const NO_OBJECT = [7, 'text', '', null, true, Symbol('s'), 2n ** 70n]
const FIGHTERS = ['«hostile»', '«revoked»', '«cyclic»']

/** Options of which one cannot be used, whatever the others are, or something in the place of the options. */
export function unusable(fields: { readonly [name: string]: Field }): fc.Arbitrary<unknown> {
  const one = fc.constantFrom(...Object.keys(fields)).chain((broken) => {
    const drawn = Object.entries(fields).map(([name, { good, bad }]) => {
      return [name, fc.constantFrom(...(name === broken ? bad : good))] as const
    })
    return fc.record(Object.fromEntries(drawn))
  })
  return fc.oneof(
    { arbitrary: one, weight: 6 },
    { arbitrary: fc.constantFrom<unknown>(undefined, [], ...NO_OBJECT, ...FIGHTERS), weight: 1 },
    { arbitrary: anything, weight: 1 },
  )
}

const hostile = (...bad: readonly unknown[]): readonly unknown[] => [...NO_OBJECT, ...FIGHTERS, ...bad]

/** Of `startEmbedded`; `directory` must not be there, and must not be made. */
export function embeddedFields(directory: string, machines: readonly unknown[]) {
  return {
    dataDirectory: { good: [directory], bad: [undefined, '', ' ', 'a\0b', 7, null, '«hostile»', '«thenable»'] },
    machines: { good: [undefined, machines], bad: hostile([], {}, [7], ['«hostile»'], [...machines, { name: 'x' }]) },
    listen: { good: [undefined, '127.0.0.1:0'], bad: hostile({}, 'localhost', '127.0.0.1:99999') },
    limits: {
      good: [undefined, {}],
      bad: hostile([], { no: 1 }, { commandBytesMax: -1 }, { commandBytesMax: '«cyclic»' }),
    },
    logLevel: { good: [undefined, 'silent'], bad: hostile({}, 'loud') },
    development: { good: [undefined, false], bad: [0, 'yes', null, '«hostile»', '«revoked»'] },
    insecure: { good: [undefined, false], bad: [0, 'yes', null, '«hostile»', '«revoked»'] },
    signal: { good: [undefined], bad: hostile({}, { aborted: true }) },
    onFault: { good: [undefined, () => {}], bad: hostile({}) },
  }
}

/** Of `startNode`. */
export function nodeFields(directory: string, machines: readonly unknown[]) {
  return {
    ...embeddedFields(directory, machines),
    id: { good: ['n1'], bad: hostile(undefined, 'N 1', 'n2', '__proto__') },
    peers: { good: [{ n1: '127.0.0.1:0' }], bad: hostile(undefined, [], { n1: '«hostile»' }, { n1: 1 }, 'n1=nowhere') },
    clusterId: { good: [undefined, 'test'], bad: [0, '', null, '«hostile»', '«revoked»'] },
    raft: { good: [undefined, {}], bad: hostile({ no: 1 }, { heartbeatMs: '50' }, { preVote: '«hostile»' }) },
  }
}

/** Of `testCluster`. */
export const CLUSTER_FIELDS = {
  nodes: { good: [undefined, 1], bad: hostile(0, 2, -1, 9, 1.5, Number.NaN, []) },
  seed: { good: [undefined, 7], bad: hostile(-1, 1.5, Number.NaN, 2 ** 40, []) },
  limits: { good: [undefined, {}], bad: hostile({ no: 1 }, { commandBytesMax: -1 }) },
  startAtMs: { good: [undefined, 0], bad: hostile(-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300) },
  guard: { good: [undefined, false], bad: hostile(0) },
}

/** Of `machineHarness`. */
export const HARNESS_FIELDS = {
  nowMs: { good: [undefined, 0], bad: hostile(-1, Number.NaN, 1.5, 1e300) },
  limits: CLUSTER_FIELDS.limits,
  guard: CLUSTER_FIELDS.guard,
  failures: { good: [undefined, 'collect'], bad: hostile('loud') },
}
