import { describe, expect, test } from 'vitest'
import { formatHostPort } from '../../../src/base/host-port.ts'
import { defaultEndpoints, parseAddress, parseMembers } from '../../../src/cli/cluster/address.ts'
import { CommandError, EXIT } from '../../../src/cli/terminal/exit.ts'

const failureOf = (run: () => unknown): CommandError => {
  try {
    run()
  } catch (error) {
    if (error instanceof CommandError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('addresses on the command line', () => {
  test.each(['127.0.0.1:4600', 'node-1.cluster.local:1', '[::1]:65535', 'localhost:0'])(
    '%s reads back as itself',
    (text) => {
      expect(formatHostPort(parseAddress(text, '--listen'))).toBe(text)
    },
  )

  test.each(['', '4600', 'host', 'host:', ':4600', 'host:65536', 'host:4600x', 'a b:1', '::1:4600', 'host:-1'])(
    '%j is refused with the name of the option and exit code 2',
    (text) => {
      const error = failureOf(() => parseAddress(text, '--listen'))
      expect(error.exitCode).toBe(EXIT.usage)
      expect(error.message).toContain('--listen')
    },
  )

  test('members are read in their order', () => {
    const members = parseMembers('n1=127.0.0.1:1, n2=[::1]:2,n3=c:3', '--peers')
    expect(members.map((member) => `${member.id} ${formatHostPort(member.address)}`)).toEqual([
      'n1 127.0.0.1:1',
      'n2 [::1]:2',
      'n3 c:3',
    ])
  })

  test.each(['n1=a:1,n1=b:2', 'n1=a:1,n2=a:1', 'N1=a:1', '=a:1', 'n1', 'n1=a:1,', ''])(
    '%j is no list of members',
    (text) => {
      expect(failureOf(() => parseMembers(text, '--peers')).exitCode).toBe(EXIT.usage)
    },
  )

  test('endpoints default to the three ports of dev', () => {
    expect(defaultEndpoints()).toEqual(['127.0.0.1:4600', '127.0.0.1:4601', '127.0.0.1:4602'])
  })
})
