import { compileEagerly } from '../compile-eagerly.ts'
import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { formOf, withListing } from '../terminal/listing.ts'
import { positive, wholeNumber } from '../terminal/numbers.ts'

const CHANGES = {
  add: ['make a member of a node that waits: a learner at once, a voter once it has caught up', 'n4'],
  promote: ['make a voter of a learner, once it has caught up', 'n4'],
  remove: ['take a member out; a leader that is removed leaves office once that is committed', 'n4'],
  replace: ['give the place of a voter whose disk is lost to the node that waits under its id', 'n3'],
} as const

/** `holdfast member …`; each command's module is loaded when it runs. */
export function addMember(root: Command): void {
  const member = root.command('member').description('who the members of the cluster are, and changes of them')
  withListing(withSettings(member.command('list'), ['endpoints']))
    .description('voters, learners and nodes that wait, with how far each one holds the log')
    .addHelpText('after', '\nExamples:\n  holdfast member list\n  holdfast member list -o jsonl')
    .action(async (flags) => {
      const { listMembers } = await import('./member-list.ts')
      await listMembers(await endpointsOf(flags), formOf(flags))
    })
  for (const change of ['add', 'promote', 'remove', 'replace'] as const) addChange(member, change)
}

function addChange(member: Command, change: keyof typeof CHANGES): void {
  const [words, example] = CHANGES[change]
  const command = withSettings(member.command(change), ['endpoints'])
    .description(words)
    .argument('<id>', 'as `holdfast member list` shows it')
    .option('--based-on <index>', 'only if the configuration is the one of that entry', wholeNumber, 0)
    .option('--no-wait', 'end once the change is accepted, not only when it is over')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', `\nExample:\n  holdfast member ${change} ${example}`)
  if (change === 'add') command.option('--learner', 'it stays a learner')
  command.action(async (id: string, flags) => {
    const { changeMembers } = await import('./member-change.ts')
    const { basedOn, wait, learner = false, json = false } = flags
    await changeMembers({ endpoints: await endpointsOf(flags), change, id, learner, basedOn, wait, json })
  })
}

/** `holdfast join`. */
export function addJoin(root: Command): void {
  withSettings(root.command('join'), [
    'id',
    'data',
    'listen',
    'machines',
    'http',
    'webhookSecret',
    'insecure',
    'development',
    'leases',
    'logLevel',
  ])
    .description('run a new node of a cluster that exists: it waits until `holdfast member add` or `replace` names it')
    .option('--peers <host:port,...>', 'any of the members; they tell of the others')
    .option('--wait <seconds>', 'how long the members may take to have a leader', positive, 60)
    .option('--json', 'when ready, one JSON line on stdout')
    .addHelpText(
      'after',
      '\nExample:\n  holdfast join --id n4 --peers 10.0.0.1:4600 --listen 10.0.0.4:4600 --data data/n4',
    )
    .action(async (flags) => {
      compileEagerly()
      const { join } = await import('./join.ts')
      await join(flags)
    })
}
