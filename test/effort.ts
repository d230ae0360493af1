import { assert } from '../src/base/assert.ts'

/**
 * How much is tried: `npm test` takes the sample as it stands, `npm run test:long` twenty times as much. Everything that
 * is drawn prints its seed when it fails, so a failure of either can be had again.
 */
export function sample(size: number): number {
  return size * EFFORT
}

const EFFORT = Number(process.env['HOLDFAST_TEST_EFFORT'] ?? '1')
// A property that runs zero times would pass.
assert(Number.isSafeInteger(EFFORT) && EFFORT >= 1, 'the effort of the tests is a whole number from 1', { EFFORT })
