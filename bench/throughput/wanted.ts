import { type Spread, spread } from '../peers/spread.ts'

/** The least median ratio to etcd's puts that is wanted, by the number in flight. */
export const WANTED_BESIDE_ETCD: Readonly<Record<number, number>> = { 1: 1, 16: 2.5, 64: 4, 256: 5, 1000: 6 }

/** Likewise of payment callbacks at 1,000 in flight to what their peers do; by the name in the result. */
export const WANTED_BESIDE_PEERS = {
  postgres: { name: 'ratioToPostgres', least: 3 },
  restate: { name: 'ratioToRestate', least: 10 },
  dbos: { name: 'ratioToDbos', least: 10 },
} as const

/** Both at one number in flight, per second, in the order in which they were measured. */
export interface EtcdPair {
  readonly inFlight: number
  readonly own: readonly number[]
  readonly etcd: readonly number[]
}

/** Ratios by what they are of. */
export type Ratios = Readonly<Record<string | number, Spread>>

/** Of each pair of measurements, by the number in flight. */
export function ratiosToEtcd(points: readonly EtcdPair[]): Ratios {
  return Object.fromEntries(
    points.map(({ inFlight, own, etcd }) => [
      inFlight,
      spread(etcd.map((perSecond, at) => Math.round(((own[at] ?? 0) / perSecond) * 100) / 100)),
    ]),
  )
}

/** Whether each median is at least what is wanted; what was not measured, or of which nothing is wanted, does not count. */
export function isReached(toEtcd: Ratios, toPeers: Ratios): boolean {
  const atEtcd = Object.entries(toEtcd).every(
    ([inFlight, { median }]) => median >= (WANTED_BESIDE_ETCD[Number(inFlight)] ?? 0),
  )
  const atPeers = Object.values(WANTED_BESIDE_PEERS).every(
    ({ name, least }) => (toPeers[name]?.median ?? least) >= least,
  )
  return atEtcd && atPeers
}
