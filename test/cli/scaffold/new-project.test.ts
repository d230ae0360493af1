import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { newProject } from '../../../src/cli/scaffold/new-project.ts'
import { packageFacts } from '../../../src/cli/package-root.ts'
import { CommandError } from '../../../src/cli/terminal/exit.ts'
import { temporaryDirectory } from '../../cluster/processes.ts'
import { read } from '../../tidy/tree.ts'

const json = (path: string): Record<string, Record<string, string>> => JSON.parse(readFileSync(path, 'utf8'))

/** What the refusal says. */
function refused(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof CommandError) return error.message
    throw error
  }
  return 'not refused'
}

test('a project is written into a directory that does not exist, with a name that npm takes', async () => {
  const directory = join(await temporaryDirectory(), 'My Shop')
  newProject({ directory })
  expect(readdirSync(directory).sort()).toEqual([
    '.gitignore',
    'README.md',
    'client.ts',
    'compose.yaml',
    'holdfast.config.yaml',
    'machines',
    'machines.ts',
    'package.json',
    'tsconfig.json',
    'worker.ts',
  ])
  const written = json(join(directory, 'package.json'))
  expect(written).toMatchObject({ name: 'my-shop', dependencies: { holdfast: `^${packageFacts().version}` } })
})

test('where packages were installed, what package.json says of them stays', async () => {
  const directory = await temporaryDirectory()
  mkdirSync(join(directory, 'node_modules'))
  const known = {
    name: 'own',
    type: 'commonjs',
    license: 'MIT',
    dependencies: { holdfast: 'file:../h.tgz', left: '1' },
  }
  writeFileSync(join(directory, 'package.json'), JSON.stringify(known))
  newProject({ directory })
  const written = json(join(directory, 'package.json'))
  expect(written).toMatchObject({ name: 'own', type: 'module', license: 'MIT', scripts: { test: 'vitest run' } })
  expect(written['dependencies']).toMatchObject({ holdfast: 'file:../h.tgz', left: '1', zod: expect.any(String) })
})

test('a tarball is named as the project sees it, and a range as it is', async () => {
  const directory = await temporaryDirectory()
  const tarball = join(directory, 'h.tgz')
  writeFileSync(tarball, '')
  newProject({ directory: join(directory, 'a'), holdfast: tarball })
  newProject({ directory: join(directory, 'b'), holdfast: '~0.1.0' })
  const specs = ['a', 'b'].map((name) => json(join(directory, name, 'package.json'))['dependencies']?.['holdfast'])
  expect(specs).toEqual(['file:../h.tgz', '~0.1.0'])
})

test('a directory that holds anything else is refused, and so is a broken package.json; nothing is written', async () => {
  const directory = await temporaryDirectory()
  writeFileSync(join(directory, 'notes.txt'), '')
  expect(refused(() => newProject({ directory }))).toMatch(/is not empty: it has notes\.txt$/)
  expect(refused(() => newProject({ directory: join(directory, 'notes.txt') }))).toMatch(/is no directory$/)
  expect(readdirSync(directory)).toEqual(['notes.txt'])
  const broken = await temporaryDirectory()
  writeFileSync(join(broken, 'package.json'), '[')
  expect(refused(() => newProject({ directory: broken }))).toMatch(/package\.json is no package\.json$/)
  expect(existsSync(join(broken, 'machines.ts'))).toBe(false)
})

test('the versions of the template are those that this package is built and tested with', () => {
  const own = json(join(packageFacts().root, 'package.json'))
  const { dependencies, devDependencies } = JSON.parse(read('templates/project/package.json'))
  const bare = (spec: string | undefined): string | undefined => spec?.replace(/^\^/, '')
  expect(dependencies.holdfast).toBe(`^${own['version']}`)
  expect(dependencies.zod).toBe(own['peerDependencies']?.['zod'])
  expect(bare(dependencies.jiti)).toBe(own['dependencies']?.['jiti'])
  for (const name of ['@types/node', 'typescript', 'vitest']) {
    expect(bare(devDependencies[name])).toBe(bare(own['devDependencies']?.[name]))
  }
})

test('the containers of the template are started as those of the product are', () => {
  const template = parse(read('templates/project/compose.yaml'), { merge: true })
  const product = parse(read('cluster/compose.yaml'), { merge: true })
  const commands = (file: typeof product) => ['n1', 'n2', 'n3'].map((name) => file.services[name].command)
  expect(commands(template)).toEqual(commands(product))
  expect(template.volumes).toEqual(product.volumes)
})
