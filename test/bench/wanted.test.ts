import { expect, test } from 'vitest'
import { isReached, type Ratios, ratiosToEtcd } from '../../bench/throughput/wanted.ts'

const at = (median: number) => ({ median, min: 0, max: 100 })

const ENOUGH: Ratios = { 1: at(1), 16: at(2.5), 64: at(4), 256: at(5), 1000: at(6) }
const PEERS: Ratios = { ratioToPostgres: at(3), ratioToRestate: at(10), ratioToDbos: at(10) }

test('a ratio is of the two that were measured one after the other', () => {
  const ratios = ratiosToEtcd([{ inFlight: 16, own: [100, 300, 200], etcd: [100, 100, 50] }])
  expect(ratios).toEqual({ 16: { median: 3, min: 1, max: 4 } })
})

test('every median counts, and none that was not measured', () => {
  expect(isReached(ENOUGH, PEERS)).toBe(true)
  expect(isReached({}, {})).toBe(true)
  expect(isReached({ 2: at(0) }, {})).toBe(true)
  for (const inFlight of Object.keys(ENOUGH)) expect(isReached({ ...ENOUGH, [inFlight]: at(0.99) }, PEERS)).toBe(false)
  for (const peer of Object.keys(PEERS)) expect(isReached(ENOUGH, { ...PEERS, [peer]: at(2.99) })).toBe(false)
})
