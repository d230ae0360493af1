/**
 * How much is tried: `npm test` takes the sample as it stands, `npm run test:long` twenty times as much. Everything that
 * is drawn prints its seed when it fails, so a failure of either can be had again.
 */
export function sample(size: number): number {
  return size * Number(process.env['HOLDFAST_TEST_EFFORT'] ?? '1')
}
