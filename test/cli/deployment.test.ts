import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { SETTINGS } from '../../src/cli/config/settings.ts'
import { read } from '../tidy/tree.ts'

interface Service {
  readonly image?: string
  readonly environment: { readonly [name: string]: string }
  readonly volumes: readonly string[]
}

const services = (file: string): { readonly [name: string]: Service } => parse(read(file), { merge: true }).services

describe('machines of a user in containers', () => {
  const { environment } = SETTINGS.machines

  test('are mounted into every node of the compose file, read-only, where the environment names them', () => {
    const own = services('cluster/compose.machines.yaml')
    expect(Object.keys(own)).toEqual(Object.keys(services('cluster/compose.yaml')))
    for (const service of Object.values(own)) {
      const module = service.environment[environment] ?? 'none'
      expect(service.volumes).toEqual([`./machines.ts:${module}:ro`])
    }
  })

  test('are an image on top of that of a node, which has the packages that they import', () => {
    const image = read('cluster/machines.Dockerfile')
    expect(image).toContain(`FROM ${services('cluster/compose.yaml')['n1']?.image}\n`)
    const folder = /^COPY .* (\/\w+)$/m.exec(image)?.[1]
    expect(image).toContain(`ENV ${environment}=${folder}/machines.ts`)
    // The entry point is relative to the folder of the base image.
    expect(image).not.toMatch(/^(?:WORKDIR|ENTRYPOINT|CMD)/m)
    const base = read('Dockerfile')
    expect(base).toContain('ln -s /holdfast /node_modules/holdfast')
    expect(base).toContain('ln -s /holdfast/node_modules/zod /node_modules/zod')
  })
})
