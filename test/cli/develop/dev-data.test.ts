import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DevData } from '../../../src/cli/develop/dev-data.ts'
import { userProject } from '../../host/user-project.ts'

/** A directory of dev's in which a node has worked, or three, and then `file` was put. */
function withFile(file: string | null, nodes: readonly string[] = ['.']): { data: DevData; directory: string } {
  const directory = join(userProject(), 'data')
  const data = new DevData(directory)
  for (const node of nodes) {
    mkdirSync(join(directory, node, 'group-0'), { recursive: true })
    writeFileSync(join(directory, node, 'HOLDFAST.json'), '{}')
  }
  if (nodes.length > 1) writeFileSync(join(directory, 'members'), '')
  if (file !== null) writeFileSync(join(directory, file), 'mine')
  return { data, directory }
}

const CLUSTER = ['n1', 'n2', 'n3']

describe('a data directory of dev', () => {
  test.each([
    ['thesis.txt', ['.']],
    ['thesis.txt', CLUSTER],
    ['n2/thesis.txt', CLUSTER],
  ])('is not emptied with %s in it, which no node made (%j)', (file, nodes) => {
    const { data, directory } = withFile(file, nodes)
    expect(() => data.reset()).toThrow(`${join(directory, file)} is no file of Holdfast's`)
    expect(existsSync(join(directory, file))).toBe(true)
  })

  test.each([[['.']], [CLUSTER]])('is emptied when all in it is of nodes (%j)', (nodes) => {
    const { data, directory } = withFile(null, nodes)
    data.reset()
    expect(existsSync(directory)).toBe(false)
  })
})
