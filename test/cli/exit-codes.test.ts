import { describe, expect, test } from 'vitest'
import { EXIT } from '../../src/cli/terminal/exit.ts'
import { EXIT_STORAGE_FAULT } from '../../src/host/faults/exit-on-fault.ts'
import { read } from '../tidy/tree.ts'

describe('exit codes', () => {
  test('of docs/cli.md are those of the program', () => {
    const section = read('docs/cli.md').split('## Exit codes')[1]?.split(/^## /m)[0] ?? ''
    const documented = [...section.matchAll(/^\| (\d+) \|/gm)].map((row) => Number(row[1]))
    expect(documented).toEqual([...Object.values(EXIT), EXIT_STORAGE_FAULT])
  })

  test('that the health check of the image takes for healthy are those of a cluster that serves', () => {
    const check = /^HEALTHCHECK[\s\S]*?^ENTRYPOINT/m.exec(read('Dockerfile'))?.[0] ?? ''
    expect(check).toContain('main.js status')
    const healthy = [...check.matchAll(/\$code -eq (\d+)/g)].map((match) => Number(match[1]))
    expect(healthy).toEqual([EXIT.ok, EXIT.degraded])
    const prose = /The health check of the image takes (\d+) and (\d+) for healthy/.exec(read('docs/cli.md'))
    expect(prose?.slice(1).map(Number)).toEqual(healthy)
  })

  test('no deployment has a health check of its own that says something else', () => {
    expect(read('cluster/compose.yaml')).not.toContain('healthcheck')
  })
})
