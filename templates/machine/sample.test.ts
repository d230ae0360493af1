import { readFileSync } from 'node:fs'
import { mermaid } from 'holdfast'
import { machineHarness } from 'holdfast/testing'
import { expect, test } from 'vitest'
import { sample } from './sample.ts'

test('an entry is stored, and one that is too long is refused and changes nothing', () => {
  const ada = machineHarness(sample).session('user:ada')
  const { put } = ada.machines['sample']
  expect(put({ key: 'a', text: 'first' })).toEqual({ kind: 'ok', value: null })
  expect(put({ key: 'a', text: 'x'.repeat(101) })).toMatchObject({ kind: 'rejected', code: 'TOO_LONG' })
  expect(ada.queries['sample'].text('a')).toEqual({ kind: 'ok', value: 'first' })
  expect(ada.requests).toMatchObject([{ type: 'sample.changed', payload: { key: 'a' } }])
})

test('a closed entry takes no other text, and says what is allowed instead', () => {
  const { put, close } = machineHarness(sample).session('user:ada').machines['sample']
  put({ key: 'a', text: 'first' })
  expect(close({ key: 'a' })).toEqual({ kind: 'ok', value: null })
  expect(put({ key: 'a', text: 'second' })).toMatchObject({
    code: 'INVALID_STATE_TRANSITION',
    details: { allowed: [] },
  })
})

test('the diagram beside the machine is the one that it has now', () => {
  const page = readFileSync(new URL('./sample.mmd', import.meta.url), 'utf8').replaceAll('\r\n', '\n')
  expect(page).toContain(mermaid(sample.schema.graphs.entry))
})
