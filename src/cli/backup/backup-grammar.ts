import type { Command } from 'commander'
import { endpointsOf, withSettings } from '../config/setting-flags.ts'
import { positive, time } from '../terminal/numbers.ts'

/** `holdfast backup …` and `holdfast restore`; each command's module is loaded when it runs. */
export function addBackup(root: Command): void {
  const backup = root
    .command('backup')
    .description('a copy of state and history, from any node: make, verify, look at one')
  withSettings(backup.command('create'), ['endpoints'])
    .description('read a backup from the first node that answers, verify it, and keep it; - writes to stdout')
    .argument('<file>', 'where it goes')
    .option('--with-log', 'with all entries of the log that are kept, to restore to a point in time')
    .option('--since <backup>', 'with the entries since that backup, which is restored with --base')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nThe leader is not disturbed when --endpoints names a follower.' +
        '\n\nExamples:\n  holdfast backup create monday.hfb --endpoints 10.0.0.2:4600' +
        '\n  holdfast backup create tuesday.hfb --since monday.hfb --endpoints 10.0.0.2:4600',
    )
    .action(async (file, flags) => {
      const { createBackup } = await import('./backup-create.ts')
      const { withLog = false, since = null, json = false } = flags
      await createBackup({ file, endpoints: await endpointsOf(flags), withLog, since, json })
    })
  backup
    .command('verify')
    .description('read all of a backup: every byte of it must be as it was written; - reads stdin')
    .argument('<file>', 'the backup')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast backup verify monday.hfb')
    .action(async (file, { json = false }) => {
      const { verify } = await import('./backup-verify.ts')
      await verify(file, json)
    })
  backup
    .command('inspect')
    .description('what a backup says of itself; the rest of it is not read')
    .argument('<file>', 'the backup')
    .option('--json', 'one JSON object on stdout')
    .addHelpText('after', '\nExample:\n  holdfast backup inspect monday.hfb')
    .action(async (file, { json = false }) => {
      const { inspect } = await import('./backup-verify.ts')
      await inspect(file, json)
    })
}

/** `holdfast restore`. */
export function addRestore(root: Command): void {
  withSettings(root.command('restore'), ['data', 'id', 'peers'])
    .description(
      'make the data directory of a node of a backup: a new cluster, which no member of the old one can join',
    )
    .argument('<file>', 'the backup')
    .option('--base <backup>', 'the backup that it was made since')
    .option('--to-index <index>', 'the last entry to be restored', positive)
    .option('--to-time <time>', 'the last entry that is not later, for example 2026-11-01T00:00+03:00', time)
    .option(
      '--incarnation <number@time>',
      'what the restore of another member of the same new cluster has printed, at most 15 minutes ago',
    )
    .option('--dry-run', 'read and verify, say what would be restored, and write nothing')
    .option('--json', 'one JSON object on stdout')
    .addHelpText(
      'after',
      '\nThe same on each member, with its own --id and --data.' +
        '\n\nExamples:\n  holdfast restore monday.hfb --data data/n1 --id n1 --peers n1=10.0.0.1:4600' +
        '\n  holdfast restore tuesday.hfb --base monday.hfb --to-time 2026-11-03T12:00Z --data data/n1 --id n1 --dry-run',
    )
    .action(async (file, flags) => {
      const { restore } = await import('./restore.ts')
      await restore(file, flags)
    })
}
