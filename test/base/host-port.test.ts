import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { formatHostPort, isLoopback, parseHostPort } from '../../src/base/host-port.ts'

describe('host and port', () => {
  test.each([
    ['127.0.0.1:4600', '127.0.0.1', 4600],
    ['node-1.cluster.local:1', 'node-1.cluster.local', 1],
    ['[::1]:65535', '::1', 65535],
    ['[::]:0', '::', 0],
    ['[fe80::1%eth0]:4600', 'fe80::1%eth0', 4600],
    ['[::ffff:10.0.0.1]:4600', '::ffff:10.0.0.1', 4600],
  ])('%s is parted and joined again', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port })
    expect(formatHostPort({ host, port })).toBe(text)
  })

  test.each([
    '',
    ':1',
    'a',
    'a:',
    'a:65536',
    '::1:4600',
    '[::1]',
    '[::1]:',
    '[]:1',
    '[a]b:1',
    'a b:1',
    `${'a'.repeat(254)}:1`,
  ])('%j is neither', (text) => {
    expect(parseHostPort(text)).toBe(null)
  })

  test('only loopback is loopback', () => {
    expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].filter((host) => !isLoopback(host))).toEqual([])
    expect(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example', 'localhost.example'].filter(isLoopback)).toEqual([])
  })

  test('nobody else joins a host and a port, which an IPv6 address does not survive', () => {
    const root = fileURLToPath(new URL('../../src/', import.meta.url))
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
    const joining = /\$\{[^}]*(?:host|HOST|address)\}:\$\{|(?:split|lastIndexOf)\(':'/
    const found = files.filter(
      (name) => name !== 'base/host-port.ts' && joining.test(readFileSync(join(root, name), 'utf8')),
    )
    expect(found).toEqual([])
  })
})
