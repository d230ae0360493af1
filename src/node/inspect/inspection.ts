import type { Millis } from '../../base/brand.ts'
import type { BackupSource } from '../backup/backup-source.ts'
import type { LogClock } from '../propose/log-clock.ts'
import { type HistoryParts, SessionHistory } from './session-history.ts'
import { WatchFeed } from './watch-feed.ts'

/** What an operator may look at in a running node. Nothing here changes anything. */
export class Inspection {
  readonly history: SessionHistory
  readonly feed: WatchFeed
  /** What backups are read from; null as long as nothing applies the log. */
  backups: Pick<BackupSource, 'open'> | null = null
  private readonly clock: Pick<LogClock, 'currentLease'>

  constructor(parts: HistoryParts, clock: Pick<LogClock, 'currentLease'>) {
    this.history = new SessionHistory(parts)
    this.feed = new WatchFeed(parts.codec)
    this.clock = clock
  }

  /** Leader time now, at the leader; elsewhere that of the log's last entry (sessions.md §1). */
  leaseNow(): Millis {
    return this.clock.currentLease()
  }
}
